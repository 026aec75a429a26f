"""Forms of the rights room. Dates and codes are read by the service, so that every fault comes at once."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from flask_wtf import FlaskForm
from wtforms import BooleanField, FileField, HiddenField, SelectField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.widgets import DateInput

from marketplace.core.errors import DomainError, Problem
from marketplace.core.i18n import _l
from marketplace.rights.burdens import NAMES
from marketplace.rights.rules.kinds import KINDS
from marketplace.rights.service import DOCUMENT_KINDS
from marketplace.rights.words import say


class DayField(StringField):
    """A day as typed; the browser offers a calendar."""

    widget = DateInput()

    def day(self, problems: list[Problem]) -> date | None:
        """The day, or None with a problem at this field."""
        text = (self.data or "").strip()
        if not text:
            return None
        try:
            return date.fromisoformat(text)
        except ValueError:
            problems.append(Problem("date_format", _l("日期应写作 2026-11-22"), self.name))
            return None


def kind_choices(blank: Any = None) -> list[tuple[str, Any]]:
    rows = [(kind.value, say(info.zh)) for kind, info in KINDS.items()]
    return [("", blank), *rows] if blank is not None else rows


def choices(rows: Iterable[tuple[str, Any]]) -> list[SelectChoice]:
    return [SelectChoice(value=code, label=name) for code, name in rows]


class RightForm(FlaskForm):
    """Everything a bank knows of one right."""

    seen = HiddenField()
    kind = SelectField(_l("权利类型"), validate_choice=False)
    number = StringField(_l("号码"), description=_l("专利号、注册号或登记号，按证书抄写即可，写法不限"))
    title = StringField(_l("名称"))
    title_en = StringField(_l("英文名称"))
    holder_name = StringField(_l("权利人"))
    holder_uscc = StringField(_l("权利人统一社会信用代码"))
    co_owners = TextAreaField(_l("其他共有人"), description=_l("每行一个"))
    publication_no = StringField(_l("公开（公告）号"))
    filing_date = DayField(_l("申请日"))
    grant_date = DayField(_l("授权日"))
    registration_date = DayField(_l("注册（登记）日"))
    renewed_until = DayField(_l("续展至"), description=_l("商标最近一次续展后的最后一天"))
    first_publication = DayField(_l("首次发表日"))
    completion_date = DayField(_l("完成日"))
    author_death = DayField(_l("作者死亡日"))
    first_commercial_use = DayField(_l("首次商业利用日"))
    compensated_until = DayField(_l("期限补偿至"), description=_l("国家知识产权局登记的专利权期限补偿的最后一天"))
    natural_person = BooleanField(_l("著作权属于自然人，保护期随作者终生"))
    woody = BooleanField(_l("藤本、木本植物"))
    fees_paid_through = StringField(_l("年费已缴至第几年"), description=_l("专利年度，从申请日起算第 1 年"))
    fee_reduction = StringField(_l("年费减缴比例（%）"), description=_l("单个申请人 85，共同申请人 70，没有减缴填 0"))
    ipc = StringField(_l("IPC 分类号"), description=_l("多个用分号隔开，例如 G06F 17/30；H02G"))
    nice = StringField(_l("商品和服务类别"), description=_l("1 至 45，多个用分号隔开"))
    industry = StringField(_l("国民经济行业代码"), description=_l("GB/T 4754，例如 C35 或 3546"))
    region_code = StringField(_l("行政区划代码"), description=_l("例如 420115"))
    abstract = TextAreaField(_l("摘要"))
    abstract_en = TextAreaField(_l("英文摘要"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.kind.choices = choices(kind_choices(_l("请选择")))

    def given(self) -> dict[str, Any]:
        """What was typed, as the service takes it."""
        return {item.name: item.data for item in self if item.name not in ("seen", "csrf_token")}


class StandingForm(FlaskForm):
    seen = HiddenField()
    terminated_on = DayField(_l("终止日"), description=_l("权利未终止则留空"))
    invalidated_on = DayField(_l("被宣告无效日"), description=_l("未被宣告无效则留空"))
    invalidation_pending = BooleanField(_l("正在无效宣告程序中"))
    ownership_suspended = BooleanField(_l("因权属纠纷中止程序"))
    ownership_suspended_until = DayField(_l("中止至"))


class PaymentForm(FlaskForm):
    seen = HiddenField()
    paid_on = DayField(_l("缴费日"))
    amount = StringField(_l("实缴金额"))
    receipt = FileField(_l("缴费凭证"), description=_l("PDF 或图片"))


class BurdenForm(FlaskForm):
    seen = HiddenField()
    kind = SelectField(_l("种类"), choices=choices(NAMES.items()), validate_choice=False)
    holder = StringField(_l("质权人、法院或被许可人"))
    own = BooleanField(_l("质权人就是本行"))
    registration_no = StringField(_l("登记号或备案号"))
    case_no = StringField(_l("案号"), description=_l("法院保全须填写"))
    from_date = DayField(_l("开始日"), description=_l("质押为登记日，保全为登记机关收到之日"))
    until_date = DayField(_l("到期日"), description=_l("保全不填时按法定最长期限计算"))
    scope = StringField(_l("范围"))
    recorded = BooleanField(_l("已备案或登记"))


class ReleaseForm(FlaskForm):
    seen = HiddenField()
    released_on = DayField(_l("解除日期"))


class ConsentForm(FlaskForm):
    seen = HiddenField()
    file = FileField(_l("书面同意"), description=_l("签字盖章的扫描件，PDF 或图片"))


class DocumentForm(FlaskForm):
    kind = SelectField(_l("文件种类"), choices=choices(DOCUMENT_KINDS.items()), validate_choice=False)
    file = FileField(_l("文件"))


def put_problems(form: FlaskForm, error: DomainError) -> None:
    """Each problem at its field, or at the top of the form."""
    for problem in error.problems:
        item = form._fields.get(problem.field or "")
        if item is None:
            form.form_errors.append(problem.message)
        else:
            item.errors = [*item.errors, problem.message]
