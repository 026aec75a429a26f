"""Forms of the auctions room. Services decide; these only carry what was typed and say what is missing."""

from __future__ import annotations

from typing import Any

from flask_wtf import FlaskForm
from flask_wtf.file import FileField
from wtforms import BooleanField, IntegerField, SelectField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import DataRequired, Length, NumberRange, Optional

from marketplace.core.i18n import _l

BASES = (
    ("co_owner", _l("共有人（民法典第305条）")),
    ("service_inventor", _l("职务技术成果完成人（民法典第847条）")),
    ("commissioner", _l("委托开发的委托人（民法典第859条）")),
    ("co_developer", _l("合作开发的当事人（民法典第860条）")),
    ("other", _l("其他法定优先购买权")),
)
BASIS_NAMES: dict[str, Any] = dict(BASES)


class RegisterForm(FlaskForm):
    """The special warnings have one tick each; they are added by the page from the lot's frozen profile."""

    agent_name = StringField(_l("代理人姓名"), validators=[Optional(), Length(max=80, message=_l("不超过 80 个字"))])
    notice = BooleanField(_l("我已阅读并接受竞买公告"), validators=[DataRequired(message=_l("请阅读并勾选"))])


class PriorityForm(FlaskForm):
    """A priority purchaser's claim."""

    basis = SelectField(_l("优先购买权依据"), choices=[SelectChoice(code, text) for code, text in BASES])
    evidence = TextAreaField(
        _l("证明材料说明"),
        validators=[DataRequired(message=_l("请说明证明材料，例如合同名称、编号和日期")), Length(max=4000)],
    )


class QualificationForm(FlaskForm):
    """Why the organisation may take the right over, with its proof."""

    statement = TextAreaField(
        _l("如何符合受让资格"), validators=[DataRequired(message=_l("请说明贵机构如何符合受让资格")), Length(max=4000)]
    )
    file = FileField(_l("证明文件"))


class ReasonForm(FlaskForm):
    """An act with a published reason and the rule it rests on."""

    reason = TextAreaField(_l("理由（将公开）"), validators=[DataRequired(message=_l("请填写理由")), Length(max=1000)])
    source = StringField(_l("依据的规则"), validators=[Optional(), Length(max=120)])


class DecideClaimForm(FlaskForm):
    """A manager's decision on a priority claim; the rank counts when it is confirmed."""

    rank = IntegerField(_l("顺位"), validators=[Optional(), NumberRange(1, 99, message=_l("顺位应为 1 至 99 的整数"))])
    reason = StringField(_l("理由"), validators=[Optional(), Length(max=400)])
