"""Forms of the parties room. They carry what was typed; services say what is wrong with it."""

from __future__ import annotations

from typing import Any

from flask_wtf import FlaskForm
from flask_wtf.file import FileField
from wtforms import (
    BooleanField,
    PasswordField,
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.fields.choices import SelectChoice
from wtforms.widgets import CheckboxInput, ListWidget

from marketplace.core.actor import BANK, ENTERPRISE, OPERATOR
from marketplace.core.errors import DomainError
from marketplace.core.i18n import LANGUAGES, _l
from marketplace.parties.organisations import DOCUMENT_KINDS, AccountData, OrgData
from marketplace.parties.scopes import SCOPES

OPEN_KIND_NAMES = {
    OPERATOR: _l("运营机构：竞买、收储并运营知识产权"),
    ENTERPRISE: _l("企业：寻找许可，或作为原权利人回购"),
    BANK: _l("银行：处置不良资产质押的知识产权"),
}
LIFETIME_NAMES = {"30": _l("30 天"), "90": _l("90 天"), "365": _l("365 天"), "": _l("不设期限")}
ROLE_NAMES = {
    "admin": _l("管理员：管理成员、资料与接口令牌"),
    "maker": _l("经办：录入与发起"),
    "approver": _l("复核：复核他人发起的事项"),
    "viewer": _l("查看：只读"),
}


def choices(named: dict[str, Any]) -> list[SelectChoice]:
    return [SelectChoice(value, label) for value, label in named.items()]


class CheckboxesField(SelectMultipleField):
    widget = ListWidget(prefix_label=False)
    option_widget = CheckboxInput()

    def pre_validate(self, form: Any) -> None:
        """Unknown values are the service's to refuse, with its own words."""


class OrgForm(FlaskForm):
    name = StringField(_l("机构全称"))
    uscc = StringField(_l("统一社会信用代码"))
    legal_representative = StringField(_l("法定代表人或负责人"))
    name_en = StringField(_l("英文名称"))
    address = StringField(_l("住所"))
    contact_name = StringField(_l("联系人"))
    contact_phone = StringField(_l("联系电话"))
    contact_email = StringField(_l("联系邮箱"))
    state_owned = BooleanField(_l("国有及国有控股"))

    def org_data(self) -> OrgData:
        return OrgData(
            **{name: getattr(self, name).data or "" for name in OrgData.__dataclass_fields__ if name != "state_owned"},
            state_owned=bool(self.state_owned.data),
        )


class NewOrgForm(FlaskForm):
    kind = RadioField(_l("机构类型"), choices=choices(OPEN_KIND_NAMES), validate_choice=False)
    name = StringField(_l("机构全称"))
    uscc = StringField(_l("统一社会信用代码"))

    def org_data(self) -> OrgData:
        return OrgData(name=self.name.data or "", uscc=self.uscc.data or "")


class JoinForm(NewOrgForm):
    display_name = StringField(_l("您的姓名"))
    email = StringField(_l("邮箱"))
    password = PasswordField(_l("密码"))


class InvitedForm(FlaskForm):
    display_name = StringField(_l("您的姓名"))
    password = PasswordField(_l("密码"))


class AccountForm(FlaskForm):
    account_name = StringField(_l("户名"))
    account_no = StringField(_l("账号"))
    account_bank = StringField(_l("开户银行"))

    def account_data(self) -> AccountData:
        return AccountData(self.account_name.data or "", self.account_no.data or "", self.account_bank.data or "")


class DocumentForm(FlaskForm):
    kind = SelectField(_l("材料类型"), choices=choices(DOCUMENT_KINDS), validate_choice=False)
    file = FileField(_l("文件"))


class InviteForm(FlaskForm):
    email = StringField(_l("邮箱"))
    roles = CheckboxesField(_l("角色"), choices=choices(ROLE_NAMES), default=["viewer"])


class TokenForm(FlaskForm):
    name = StringField(_l("名称"))
    scopes = CheckboxesField(_l("权限"), choices=choices(SCOPES))
    days = SelectField(_l("有效期"), choices=choices(LIFETIME_NAMES), default="90", validate_choice=False)


class ProfileForm(FlaskForm):
    display_name = StringField(_l("您的姓名"))
    language = SelectField(_l("邮件语言"), choices=choices(LANGUAGES), validate_choice=False)


class ReasonForm(FlaskForm):
    reason = TextAreaField(_l("理由"))


class AffiliateForm(FlaskForm):
    affiliate_uscc = StringField(_l("关联机构的统一社会信用代码"))
    basis = StringField(_l("认定依据"))


class BarForm(FlaskForm):
    listing_id = StringField(_l("挂牌编号（如 ZL-2026-000001，留空表示全平台）"))
    bar_reason = StringField(_l("理由"))
    source = StringField(_l("依据"))


def put_problems(form: FlaskForm, error: DomainError) -> None:
    """Each problem at its field, the others above the form."""
    for problem in error.problems:
        text = str(problem.message)
        if problem.params and "%(" in text:
            text = text % problem.params
        field = getattr(form, problem.field, None) if problem.field else None
        if field is None:
            form.form_errors.append(text)
        else:
            field.errors = [*field.errors, text]
