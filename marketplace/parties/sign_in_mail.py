"""The library's mails, in our words, through the outbox, with links under BASE_URL."""

from __future__ import annotations

from typing import Any

from flask_security.mail_util import MailUtil

from marketplace.core.i18n import _l
from marketplace.parties.notices import notify_address

MAILS: dict[str, tuple[Any, Any, str]] = {
    "security/email/confirmation_instructions": (
        _l("请确认您的邮箱"),
        _l("请打开下面的链接确认邮箱，链接在两天内有效。确认后即可登录。\n如果您没有在知流注册，请忽略此邮件。"),
        "confirmation_link",
    ),
    "security/email/reset_instructions": (
        _l("重设密码"),
        _l(
            "请打开下面的链接重设密码，链接在两小时内有效，只能使用一次。\n如果您没有申请，请忽略此邮件，密码不会改变。"
        ),
        "reset_link",
    ),
    "security/email/reset_notice": (
        _l("密码已重设"),
        _l("您的密码已重设，所有设备上的登录均已退出。\n如果不是您本人操作，请立即再次重设密码并联系平台。"),
        "",
    ),
    "security/email/change_notice": (
        _l("密码已修改"),
        _l("您的密码已修改，其他设备上的登录均已退出。\n如果不是您本人操作，请立即重设密码并联系平台。"),
        "",
    ),
}


class OutboxMail(MailUtil):
    """Queues instead of sending: nothing leaves before the request's transaction has committed (law 7)."""

    def send_mail(
        self,
        template: str,
        subject: str,
        recipient: Any,
        sender: Any,
        body: str | None,
        html: str | None,
        **kwargs: Any,
    ) -> None:
        ours, text, link_name = MAILS[template]
        user = kwargs["user"]
        notify_address(user.email, user.language, ours, text, link=kwargs.get(link_name, "") if link_name else "")
