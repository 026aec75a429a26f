"""Faults of rows: where, what, and the sentence a reader sees. Codes are stored, texts are made when shown."""

from __future__ import annotations

import dataclasses
import re
from dataclasses import dataclass
from typing import Any

from flask_babel import force_locale, gettext

from marketplace.cases import texts
from marketplace.cases.models import ImportFault
from marketplace.core.errors import Problem
from marketplace.core.i18n import _l, template_of
from marketplace.rights.words import in_words

ERROR, WARNING = "error", "warning"

FAULTS: dict[str, Any] = {
    "required_missing": _l("必填，但没有内容"),
    "too_long": _l("内容过长（%(length)s 个字符，最多 %(max)s 个）"),
    "cell_formula": _l("单元格是公式，请先转换为数值"),
    "cell_formula_text": _l("以公式符号开头，按文字保存"),
    "date_format": _l("不能识别为日期，请写成 2024-01-31"),
    "date_ambiguous": _l("日和月可能颠倒，请写成 2024-01-31"),
    "date_range": _l("年份不合理，请核对"),
    "money_format": _l("不能识别为金额，请写成 1234567.00"),
    "money_decimals": _l("金额最多两位小数"),
    "money_too_large": _l("金额过大，请核对"),
    "money_negative": _l("金额不能为负数"),
    "number_format": _l("应为整数"),
    "number_range": _l("应在 %(low)s 至 %(high)s 之间"),
    "choice_unknown": _l("不认识这个选项"),
    "currency_unknown": _l("币种应为三个字母，如 CNY"),
    "kind_unclear": _l("不能从号码判断权利类型，请填写权利类型"),
    "row_too_many_cells": _l("这一行的列数多于标题行"),
    "cell_too_long": _l("有单元格超过 32,000 个字符"),
    "duplicate_in_file": _l("与第 %(row)s 行重复，只采用前一行"),
    "case_not_draft": _l("案件已提交或已结束，只有草稿可以通过导入修改"),
    "case_unknown": _l("没有此编号的草稿案件，请先导入案件"),
    "right_unknown": _l("本行没有登记这项权利：%(number)s"),
    "right_ambiguous": _l("有多项权利与此号码相符：%(number)s"),
    "pledge_no_format": _l("质押登记号的格式不常见，请与通知书核对"),
    "row_refused": _l("这一行不能采用"),
}


@dataclass(frozen=True)
class Fault:
    """One fault of one row. ``message`` is another room's Chinese template, None for a code of FAULTS."""

    code: str
    field: str | None = None
    value: str | None = None
    params: dict[str, Any] = dataclasses.field(default_factory=dict)
    severity: str = ERROR
    message: str | None = None


def from_problem(problem: Problem, values: dict[str, str], severity: str = ERROR) -> Fault:
    """A refusal of a service as a fault: its source text is kept so that it can be shown in any language."""
    with force_locale("zh"):
        message, figures = template_of(problem.message)
        params = {k: v if isinstance(v, (int, float)) else str(v) for k, v in (figures | problem.params).items()}
    name = problem.field
    return Fault(problem.code, name, values.get(name or ""), params, severity, message)


def text_of(fault: ImportFault) -> str:
    """The sentence, in the reader's language."""
    text, params = _template(fault)
    return _filled(text, params)


#: Params that name a field: the same for all faults of a kind. Others are figures of one row.
WORDS = ("label", "earlier", "later")
_PLACE = re.compile(r"%\(\w+\)s")
_ASIDE = re.compile(r"\s*[（(][^（(]*%\(\w+\)s(?:[^（）()]|\(\w+\)s)*[）)]")
_CLAUSES = re.compile(r"([；：，。;]|, |: )")


def kind_text(fault: ImportFault) -> str:
    """What faults of this kind have in common: the sentence without the figures of one row. Asides and later clauses
    that hold a figure are left out, in the first clause a figure becomes an ellipsis."""
    text, params = _template(fault)
    words = {name: params[name] for name in WORDS if name in params}
    for name, word in words.items():
        text = text.replace(f"%({name})s", str(word).replace("%", "%%"))
    first, *rest = _CLAUSES.split(_ASIDE.sub("", text))
    kept = _PLACE.sub("…", first)
    for mark, clause in zip(rest[::2], rest[1::2], strict=True):
        if not _PLACE.search(clause):
            kept += mark + clause
    return kept.replace("%%", "%")


def _template(fault: ImportFault) -> tuple[str, dict[str, Any]]:
    """The sentence with its places, in the reader's language, and what goes there."""
    template = FAULTS.get(fault.code)
    params = dict(fault.params or {})
    if fault.message is not None:
        text = gettext(fault.message)
        params = {name: str(in_words(value)) if isinstance(value, str) else value for name, value in params.items()}
    elif template is not None:
        text = str(template)
    elif fault.code in texts.FINDINGS:
        text = str(texts.FINDINGS[fault.code])
        for name in ("earlier", "later", "label"):
            if name in params:
                params[name] = str(texts.FIELDS.get(params[name], params[name]))
    else:
        text = str(FAULTS["row_refused"])
    return text, params


def _filled(text: str, params: dict[str, Any]) -> str:
    try:
        return text % params if params and "%(" in text else text
    except (KeyError, ValueError, TypeError):
        return text
