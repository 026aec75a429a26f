"""Forms of the cases room. They read what people type; what is allowed is the service's and the rules' matter."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from flask_wtf import FlaskForm
from wtforms import FileField, SelectField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import Length, Optional

from marketplace.cases import texts
from marketplace.cases.imports.faults import FAULTS
from marketplace.cases.reading.dates import DateRefused, parse_date
from marketplace.core.errors import Problem
from marketplace.core.i18n import _l
from marketplace.core.money import MoneyRefused, parse_minor

_F = texts.FIELDS
AMOUNTS = ("loan_principal", "claim_principal", "claim_interest", "claim_penalty", "valuation")
DATES = ("loan_start", "loan_due", "default_date", "claim_date", "valuation_date")


def choices(names: dict[str, Any]) -> list[SelectChoice]:
    """A select's options from a table of names."""
    return [SelectChoice(value, label) for value, label in names.items()]


class HouseForm(FlaskForm):
    """Keeps what was typed and shows each refusal at its field."""

    def add(self, problems: Iterable[Problem]) -> None:
        """Put a service's problems at their fields; what belongs to none stands at the top."""
        for problem in problems:
            text = str(problem.message)
            if problem.params and "%(" in text:
                text %= problem.params
            name = (problem.field or "").removesuffix("_minor")
            if name in self._fields:
                self._fields[name].errors = [*self._fields[name].errors, text]
            else:
                self.form_errors.append(text)


class CaseForm(HouseForm):
    """Amounts and dates are text fields: every common way of writing them is read."""

    reference = StringField(_F["reference"], [Length(max=100)], description=_l("本行自己的编号，在本行内唯一"))
    debtor_name = StringField(_F["debtor_name"], [Length(max=300)])
    debtor_uscc = StringField(_F["debtor_uscc"], [Optional(), Length(max=60)])
    region_code = StringField(_F["region_code"], [Optional(), Length(max=12)])
    industry = StringField(_F["industry"], [Optional(), Length(max=20)])
    loan_contract_no = StringField(_F["loan_contract_no"], [Optional(), Length(max=200)])
    loan_principal = StringField(_F["loan_principal"], [Length(max=40)])
    loan_start = StringField(_F["loan_start"], [Optional(), Length(max=40)])
    loan_due = StringField(_F["loan_due"], [Optional(), Length(max=40)])
    default_date = StringField(_F["default_date"], [Optional(), Length(max=40)])
    claim_date = StringField(_F["claim_date"], [Optional(), Length(max=40)])
    claim_principal = StringField(_F["claim_principal"], [Optional(), Length(max=40)])
    claim_interest = StringField(_F["claim_interest"], [Optional(), Length(max=40)])
    claim_penalty = StringField(_F["claim_penalty"], [Optional(), Length(max=40)])
    legal_path = SelectField(_F["legal_path"], choices=choices(texts.PATHS), validate_choice=True)
    path_basis = StringField(_F["path_basis"], [Optional(), Length(max=1000)])
    valuation_basis = SelectField(
        _F["valuation_basis"], [Optional()], choices=choices({"": _l("请选择")} | texts.VALUATION_BASES)
    )
    valuation = StringField(_F["valuation"], [Optional(), Length(max=40)])
    valuation_date = StringField(_F["valuation_date"], [Optional(), Length(max=40)])
    valuer = StringField(_F["valuer"], [Optional(), Length(max=300)])
    notes = TextAreaField(_F["notes"], [Optional(), Length(max=10_000)])

    def values(self) -> dict[str, Any] | None:
        """What the service takes; None when an amount or date cannot be read (the errors stand at the fields)."""
        sound = bool(self.validate())
        data: dict[str, Any] = {}
        for name, field in self._fields.items():
            text = (field.data or "").strip() if isinstance(field.data, str) else ""
            if name == "csrf_token":
                continue
            if name in AMOUNTS:
                data[name + "_minor"] = amount(field) if text else None
            elif name in DATES:
                data[name] = day(field) if text else None
            else:
                data[name] = text or None
        return data if sound and not self.errors else None


def amount(field: Any) -> int | None:
    try:
        return parse_minor(field.data)
    except MoneyRefused as refused:
        field.errors = [*field.errors, str(FAULTS[refused.code])]
    return None


def day(field: Any) -> Any:
    try:
        return parse_date(field.data)
    except DateRefused as refused:
        field.errors = [*field.errors, str(FAULTS[refused.code])]
    return None


class PledgeForm(HouseForm):
    pledge_no = StringField(_F["pledge_no"], [Optional(), Length(max=60)], description=_l("如 Y2022420000123"))
    pledge_date = StringField(_F["pledge_date"], [Optional(), Length(max=40)])
    rank = StringField(_F["rank"], [Optional(), Length(max=3)], default="1")

    def values(self) -> dict[str, Any] | None:
        """Keyword arguments of ``service.add_right``; None when something cannot be read."""
        sound = bool(self.validate())
        text = (self.rank.data or "1").strip() or "1"
        if not (text.isascii() and text.isdigit()):
            self.rank.errors = [*self.rank.errors, str(FAULTS["number_format"])]
            text = "1"
        when = day(self.pledge_date) if (self.pledge_date.data or "").strip() else None
        if not sound or self.errors:
            return None
        return {"pledge_no": self.pledge_no.data, "pledge_date": when, "rank": int(text)}


class DocumentForm(HouseForm):
    kind = SelectField(_l("材料类型"), choices=choices(texts.DOCUMENTS))
    file = FileField(_l("文件"), description=_l("PDF、PNG、JPEG、TIFF、DOCX、XLSX、CSV 或 TXT"))


class UploadForm(HouseForm):
    target = SelectField(_l("导入的内容"), choices=choices({"rights": _l("权利"), "cases": _l("案件")}))
    file = FileField(_l("文件"), description=_l("CSV 或 XLSX，最多 200,000 行、200 列；文字编码自动识别"))
