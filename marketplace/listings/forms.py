"""Forms of the listings room. Times are typed in Asia/Shanghai and kept as UTC; amounts as people write them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from flask_wtf import FlaskForm
from flask_wtf.file import FileField, FileRequired
from wtforms import (
    DateField,
    DateTimeLocalField,
    IntegerField,
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length, NumberRange, Optional, StopValidation
from wtforms.widgets import CheckboxInput, ListWidget

from marketplace.core.clock import SHANGHAI
from marketplace.core.i18n import _l
from marketplace.core.money import MoneyRefused, format_minor, parse_minor
from marketplace.listings import texts

MONEY_FAULTS = {
    "money_format": _l("请填写金额，如 1,234,567.00 或 12.5万"),
    "money_decimals": _l("金额最多两位小数"),
    "money_too_large": _l("金额过大"),
    "money_negative": _l("金额不能为负"),
}
WHEN = ["%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M"]
REQUIRED = InputRequired(_l("请填写此项"))
LONG = Length(max=20_000, message=_l("内容过长"))


def named(texts_by_code: Mapping[Any, Any]) -> list[SelectChoice]:
    """Choices of a field from codes and their texts."""
    return [SelectChoice(code, text) for code, text in texts_by_code.items()]


class MoneyField(StringField):
    """An amount in minor units in ``minor``; what was typed stays."""

    minor: int | None = None

    def show(self, minor: int | None) -> None:
        self.data = "" if minor is None else format_minor(minor).lstrip("¥")

    def pre_validate(self, form: Any) -> None:
        self.minor = None
        if not (self.data or "").strip():
            return
        try:
            self.minor = parse_minor(self.data or "")
        except MoneyRefused as fault:
            raise StopValidation(str(MONEY_FAULTS[fault.code])) from None


class ShanghaiField(DateTimeLocalField):
    """A moment typed in Asia/Shanghai; ``moment`` is aware UTC."""

    def __init__(self, label: Any = None, **more: Any) -> None:
        super().__init__(label, format=WHEN, **more)
        self.type = "DateTimeLocalField"  # pages show it as one, with the name of its time

    def show(self, moment: datetime | None) -> None:
        self.data = None if moment is None else moment.astimezone(SHANGHAI).replace(tzinfo=None, microsecond=0)

    @property
    def moment(self) -> datetime | None:
        if self.data is None:
            return None
        try:
            return self.data.replace(tzinfo=SHANGHAI).astimezone(UTC)
        except OverflowError:
            return None


def when_field(label: Any) -> ShanghaiField:
    return ShanghaiField(label, validators=[Optional()])


class Ticks(SelectMultipleField):
    """Boxes to tick; unknown values are refused by the field itself."""

    widget = ListWidget(prefix_label=False)
    option_widget = CheckboxInput()


class NewForm(FlaskForm):
    right_ids = Ticks(_l("要处置的权利"), coerce=int)
    profile_code = SelectField(_l("规则"))


class RightsForm(FlaskForm):
    right_ids = Ticks(_l("要处置的权利"), coerce=int)


class TextForm(FlaskForm):
    title = StringField(_l("标题"), [REQUIRED, Length(max=200)])
    title_en = StringField(_l("英文标题"), [Optional(), Length(max=300)])
    summary = TextAreaField(_l("标的物说明"), [LONG], description=_l("权属、使用状况、技术或商标的内容和应用。"))
    known_defects = TextAreaField(_l("已知瑕疵"), [LONG], description=_l("没有的，请写“未发现”。"))
    inspection = TextAreaField(_l("查看和查询"), [LONG], description=_l("何时、何处、如何查看资料。"))
    handover = TextAreaField(_l("交付和权利变更"), [LONG], description=_l("何时移交资料、由谁办理变更登记。"))
    taxes_and_fees = TextAreaField(_l("税费及其负担"), [LONG])
    bidder_conditions = TextAreaField(_l("竞买人条件"), [LONG])
    qualification = TextAreaField(
        _l("受让资格"),
        [LONG],
        description=_l(
            "集体商标、证明商标和地理标志必须填写：受让人须具备的资格和应当提交的证明。填写后，竞买人的证明经平台确认才能报名交保证金。"
        ),
    )
    priority_holders = TextAreaField(
        _l("优先购买权人及权利性质"), [LONG], description=_l("例如职务发明完成人、共有人；没有的，请写“未发现”。")
    )
    parties_notified_at = when_field(_l("通知当事人和优先购买权人的时间"))
    notification_note = TextAreaField(_l("通知方式和结果"), [LONG])
    contact = TextAreaField(_l("联系方式和监督方式"), [LONG])
    region_code = StringField(_l("行政区划代码"), [Optional(), Length(max=6)])
    industry = StringField(_l("行业代码"), [Optional(), Length(max=10)])
    licence_no = StringField(_l("拍卖许可证号"), [Optional(), Length(max=100)])
    auctioneer = StringField(_l("主持拍卖师"), [Optional(), Length(max=100)])


class TermsForm(FlaskForm):
    profile_code = SelectField(_l("规则"))
    valuation_basis = SelectField(_l("价值依据"), choices=named(texts.BASES))
    appraisal = MoneyField(_l("评估价或市场价"))
    appraisal_date = DateField(_l("价值基准日"), [Optional()])
    start = MoneyField(_l("起拍价"))
    increment = MoneyField(_l("加价幅度"))
    deposit = MoneyField(_l("保证金"))
    balance_days = IntegerField(_l("余款支付期限（天）"), [Optional(), NumberRange(1, 365)])
    opens_at = when_field(_l("竞价开始时间"))
    ends_at = when_field(_l("竞价结束时间"))

    def values(self) -> dict[str, Any]:
        """As ``service.edit_terms`` takes them."""
        return {
            "profile_code": self.profile_code.data,
            "valuation_basis": self.valuation_basis.data,
            "appraisal_minor": self.appraisal.minor,
            "appraisal_date": self.appraisal_date.data,
            "start_minor": self.start.minor,
            "increment_minor": self.increment.minor,
            "deposit_minor": self.deposit.minor,
            "balance_days": self.balance_days.data,
            "planned_opens_at": self.opens_at.moment,
            "planned_ends_at": self.ends_at.moment,
        }


class RoundForm(FlaskForm):
    """The terms of a further round; bounds are computed by the service and shown beside the form."""

    start = MoneyField(_l("起拍价"), [REQUIRED])
    increment = MoneyField(_l("加价幅度"), [REQUIRED])
    deposit = MoneyField(_l("保证金"), [REQUIRED])
    opens_at = ShanghaiField(_l("竞价开始时间"), validators=[REQUIRED])
    ends_at = ShanghaiField(_l("竞价结束时间"), validators=[REQUIRED])
    parties_notified_at = when_field(_l("就本轮通知当事人和优先购买权人的时间"))
    notification_note = TextAreaField(_l("通知方式和结果"), [LONG])

    def values(self) -> dict[str, Any]:
        """As ``service_rounds.propose_round`` takes them."""
        return {
            "start_minor": self.start.minor,
            "increment_minor": self.increment.minor,
            "deposit_minor": self.deposit.minor,
            "opens_at": self.opens_at.moment,
            "ends_at": self.ends_at.moment,
            "parties_notified_at": self.parties_notified_at.moment,
            "notification_note": self.notification_note.data,
        }


class RoundReviewForm(FlaskForm):
    items = Ticks(_l("审核清单"), choices=named(texts.ROUND_REVIEW_ITEMS))
    note = TextAreaField(_l("审核意见"), [Optional(), Length(max=2000)], id="round-note")


class WarningsForm(FlaskForm):
    warnings = Ticks(_l("特别提示"))


class DocumentForm(FlaskForm):
    kind = SelectField(_l("文件类型"), choices=named(texts.DOCUMENTS))
    visibility = SelectField(_l("谁可以看"), choices=named({"public": _l("公开"), "bidders": _l("仅核验通过的竞买人")}))
    file = FileField(_l("文件"), [FileRequired(_l("请选择文件"))])


class ReviewForm(FlaskForm):
    items = Ticks(_l("审核清单"), choices=named(texts.REVIEW_ITEMS))
    note = TextAreaField(_l("审核意见"), [Optional(), Length(max=2000)])


class ReasonForm(FlaskForm):
    reason = TextAreaField(_l("理由"), [REQUIRED, Length(max=2000)])


class TextOnlyForm(FlaskForm):
    text = TextAreaField(_l("内容"), [REQUIRED, Length(max=4000)], id="question-text")  # two forms stand on one page


class ObjectionForm(FlaskForm):
    capacity = SelectField(_l("您的身份"), choices=named(texts.CAPACITIES))
    ground = SelectField(_l("理由"), choices=named(texts.GROUNDS))
    text = TextAreaField(_l("事实和理由"), [REQUIRED, Length(max=4000)], id="objection-text")
    file = FileField(_l("证明文件"), description=_l("选填，只有平台审核人员能看到。"))


class DecisionForm(FlaskForm):
    outcome = RadioField(
        _l("决定"),
        choices=named({"rejected": _l("不成立"), "suspend": _l("成立，暂缓"), "withdraw": _l("成立，暂缓并申请撤回")}),
        default="rejected",
    )
    decision = TextAreaField(_l("决定理由（公开）"), [REQUIRED, Length(max=2000)])


__all__ = [
    "DecisionForm",
    "DocumentForm",
    "NewForm",
    "ObjectionForm",
    "ReasonForm",
    "ReviewForm",
    "RightsForm",
    "RoundForm",
    "RoundReviewForm",
    "TermsForm",
    "TextForm",
    "TextOnlyForm",
    "WarningsForm",
]
