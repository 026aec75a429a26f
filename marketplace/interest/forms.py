"""Forms of the interest room. Amounts as people write them; days are days in Asia/Shanghai."""

from __future__ import annotations

from typing import Any

from flask_wtf import FlaskForm
from wtforms import BooleanField, DateField, RadioField, SelectField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length, Optional

from marketplace.core.i18n import _l
from marketplace.interest import texts
from marketplace.interest.models import Need
from marketplace.interest.service_needs import LIMITS
from marketplace.interest.service_responses import LONGEST
from marketplace.interest.service_saved import LONGEST_NAME
from marketplace.listings.forms import MoneyField, named

REQUIRED = InputRequired(_l("请填写此项"))


def most(name: str) -> Length:
    return Length(max=LIMITS[name], message=_l("内容过长"))


class SavedForm(FlaskForm):
    name = StringField(_l("名称"), [REQUIRED, Length(max=LONGEST_NAME)])
    often = RadioField(_l("多久通知一次"), choices=named(texts.OFTEN), default="at_once")
    shared = BooleanField(
        _l("与本机构成员共用"), description=_l("勾选后，本机构每位成员都能看到，也都收到邮件；各人可以自行退订。")
    )


class NeedForm(FlaskForm):
    title = StringField(
        texts.FIELDS["title"],
        [REQUIRED, most("title")],
        description=_l("一句话说明要找什么技术，例如：锂电池耐高温隔膜。"),
    )
    details = TextAreaField(
        texts.FIELDS["details"],
        [REQUIRED, most("details")],
        description=_l("要解决什么问题、用在哪里、有什么指标。公开显示，请不要写单位名称和联系方式。"),
    )
    title_en = StringField(texts.FIELDS["title_en"], [Optional(), most("title_en")])
    details_en = TextAreaField(texts.FIELDS["details_en"], [Optional(), most("details_en")])
    ipc = StringField(
        texts.FIELDS["ipc"],
        [Optional(), Length(max=200)],
        description=_l("如 H01M 或 H01M10/0525，多个用逗号分开。填写后更容易匹配。"),
    )
    industry = StringField(
        texts.FIELDS["industry"], [Optional(), Length(max=5)], description=_l("如 C3841，或只写大类 C38。")
    )
    region_code = SelectField(_l("所在地区"), [Optional()])
    wanted = SelectField(texts.FIELDS["wanted"], choices=named(texts.WANTED), default="either")
    budget_low = MoneyField(texts.FIELDS["budget_low"], [Optional()])
    budget_high = MoneyField(texts.FIELDS["budget_high"], [Optional()])
    valid_until = DateField(
        texts.FIELDS["valid_until"],
        [InputRequired(_l("请填写此项"))],
        description=_l("当天结束时自动停止征集，最长一年。"),
    )
    anonymous = BooleanField(
        texts.FIELDS["anonymous"],
        description=_l("勾选后公开页面不显示贵机构名称。双方同意对接后才互相显示。"),
        default=True,
    )
    contact = StringField(
        texts.FIELDS["contact"],
        [REQUIRED, most("contact")],
        description=_l("只在您接受对方的响应之后，才显示给对方。"),
    )

    def show(self, need: Need) -> None:
        """The fields as the need has them."""
        for name in (*LIMITS, "industry", "region_code", "wanted", "valid_until", "anonymous"):
            getattr(self, name).data = getattr(need, name)
        self.ipc.data = ", ".join(need.ipc)
        self.budget_low.show(need.budget_low_minor)
        self.budget_high.show(need.budget_high_minor)

    def values(self) -> dict[str, Any]:
        """As ``service.save`` takes them."""
        names = (*LIMITS, "ipc", "industry", "region_code", "wanted", "valid_until", "anonymous")
        amounts = {"budget_low_minor": self.budget_low.minor, "budget_high_minor": self.budget_high.minor}
        return {name: getattr(self, name).data for name in names} | amounts


class ResponseForm(FlaskForm):
    listing_id = SelectField(_l("用哪个挂牌响应"), coerce=int)
    message = TextAreaField(
        _l("说明"),
        [REQUIRED, Length(max=LONGEST["message"])],
        description=_l("它怎样满足需求。对方接受之前看不到贵机构的联系方式。"),
    )
    contact = StringField(
        texts.FIELDS["contact"],
        [REQUIRED, Length(max=LONGEST["contact"])],
        description=_l("只在对方接受之后显示给对方。"),
    )
