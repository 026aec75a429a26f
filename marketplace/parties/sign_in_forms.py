"""The library's forms with our locks: an account takes one attempt at a time, and none while it is locked."""

from __future__ import annotations

import unicodedata
from typing import Any

from flask import g
from flask_login import current_user
from flask_security.forms import (
    ChangePasswordForm,
    ForgotPasswordForm,
    LoginForm,
    ResetPasswordForm,
    SendConfirmationForm,
    TwoFactorRescueForm,
    TwoFactorSetupForm,
    TwoFactorVerifyCodeForm,
    VerifyForm,
)
from flask_security.password_util import PasswordUtil
from flask_security.recovery_codes import MfRecoveryForm
from flask_security.utils import get_message, hash_password
from wtforms import HiddenField, RadioField
from wtforms.fields.choices import SelectChoice

from marketplace.core.db import db
from marketplace.core.i18n import _, _l
from marketplace.parties import locking
from marketplace.parties.passwords import password_problem

LABELS = {
    "email": _l("邮箱"),
    "password": _l("密码"),
    "new_password": _l("新密码"),
    "new_password_confirm": _l("再次输入新密码"),
    "password_confirm": _l("再次输入新密码"),
    "code": _l("验证码"),
}


class OurLabels:
    """The library labels its fields in English; ours are Chinese with an English catalogue."""

    labels: dict[str, Any] = LABELS

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, text in self.labels.items():
            field = getattr(self, name, None)
            if field is not None:
                field.label.text = text


class SignInForm(OurLabels, LoginForm):
    """No "remember me": a sign-in ends with the browser session or after twelve hours."""

    remember = None

    def validate(self, **kwargs: Any) -> bool:
        from marketplace.parties.sign_in import security

        typed = (self.email.data or "").strip()
        user: Any = security.datastore.find_user(case_insensitive=True, email=typed) if typed else None
        if user is not None:
            locking.hold(user.id)
            if locking.locked(user.id):
                hash_password(self.password.data or "")  # takes as long as a real try
                self.form_errors.append(get_message("GENERIC_AUTHN_FAILED")[0])
                return False
        accepted = super().validate(**kwargs)
        if not accepted and self.user_authenticated and self.requires_confirmation:
            # the password was right, so this tells nobody anything new; it stands alone, not beside the general refusal
            self.email.errors = []
            self.form_errors.append(_("您的邮箱尚未确认。请点击我们发给您的邮件中的链接；没有收到可重新发送。"))
        return accepted


class LockedCodeMixin:
    """Codes are tried under the account's lock, on the account as it is now."""

    user: Any
    form_errors: list[str]

    def free_to_try(self) -> bool:
        user_id = self.user.id
        locking.hold(user_id)
        if locking.locked(user_id):
            self.form_errors.append(get_message("GENERIC_AUTHN_FAILED")[0])
            return False
        db.session.refresh(self.user, ["tf_last_counter", "mf_recovery_codes"])
        return True


class CodeForm(OurLabels, LockedCodeMixin, TwoFactorVerifyCodeForm):
    def validate(self, **kwargs: Any) -> bool:
        if isinstance(self.code.data, str):
            self.code.data = "".join(unicodedata.normalize("NFKC", self.code.data).split())
        if self.free_to_try() and super().validate(**kwargs):
            return True
        self.form_errors.extend(self.code.errors)  # the form has one field: said once, above it
        self.code.errors = []
        g.refused_code = self  # for the page of an open set-up, which shows its key again
        return False


class RecoveryCodeForm(OurLabels, LockedCodeMixin, MfRecoveryForm):
    labels = {"code": _l("恢复码")}

    def validate(self, **kwargs: Any) -> bool:
        if isinstance(self.code.data, str):
            self.code.data = unicodedata.normalize("NFKC", self.code.data).strip().lower()
        if not self.free_to_try():
            return False
        accepted = super().validate(**kwargs)
        if not accepted and self.code.data:
            locking.note_failure(self.user.id)
        return accepted


class SetupForm(TwoFactorSetupForm):
    """The authenticator is the only method, so nothing is chosen: the buttons say what they do."""

    setup = HiddenField()
    phone = HiddenField()


class RescueForm(TwoFactorRescueForm):
    """Built by the library beside the code; its page is switched off."""

    help_setup = RadioField(choices=[SelectChoice("help", "")])


class PasswordAgainForm(OurLabels, LockedCodeMixin, VerifyForm):
    def validate(self, **kwargs: Any) -> bool:
        return self.free_to_try() and super().validate(**kwargs)


class ForgottenPasswordForm(OurLabels, ForgotPasswordForm):
    pass


class ConfirmationForm(OurLabels, SendConfirmationForm):
    pass


class ResetForm(OurLabels, ResetPasswordForm):
    labels = LABELS | {"password": _l("新密码")}


class NewPasswordForm(OurLabels, ChangePasswordForm):
    """A stolen open session must not become a place to guess the password."""

    labels = LABELS | {"password": _l("当前密码")}

    def validate(self, **kwargs: Any) -> bool:
        locking.hold(current_user.id)
        if locking.locked(current_user.id):
            self.form_errors.append(get_message("GENERIC_AUTHN_FAILED")[0])
            return False
        accepted = super().validate(**kwargs)
        if not accepted and get_message("INVALID_PASSWORD")[0] in self.password.errors:
            locking.note_failure(current_user.id)
        return accepted


class Passwords(PasswordUtil):
    """The house's password rules, wherever the library takes a new password."""

    def validate(self, password: str, is_register: bool, **kwargs: Any) -> tuple[list[str] | None, str]:
        clean = self.normalize(password)
        user = kwargs.get("user")
        problem = password_problem(clean, user.email if user else kwargs.get("email", ""))
        return ([str(problem.message) % problem.params] if problem else None), clean
