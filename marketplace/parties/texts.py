"""Names of kinds and states, and what comes next for an organisation."""

from __future__ import annotations

from typing import Any

from marketplace.core.actor import BANK, ENTERPRISE, OPERATOR, PLATFORM, REGULATOR
from marketplace.core.i18n import _, _l, _lp
from marketplace.parties.models import Organisation

KIND_NAMES = {
    BANK: _l("银行"),
    OPERATOR: _l("运营机构"),
    ENTERPRISE: _l("企业"),
    PLATFORM: _l("平台"),
    REGULATOR: _l("监管机构"),
}
STATE_NAMES = {
    "draft": _l("待提交"),
    "submitted": _l("待核验"),
    "verified": _l("已核验"),
    "rejected": _l("待更正"),
    "suspended": _l("已暂停"),
}
STATE_TONES = {"draft": "warn", "submitted": "info", "verified": "good", "rejected": "bad", "suspended": "bad"}
SHORT_ROLES = {"admin": _l("管理员"), "maker": _l("经办"), "approver": _lp("role", "复核"), "viewer": _l("查看")}


def steps_of(org: Organisation) -> list[dict[str, Any]]:
    """The way to verification with the step it is at. No duration is promised: nobody can keep it for a manager."""
    place = {"draft": 0, "rejected": 0, "submitted": 1, "verified": 3, "suspended": 3}[org.state]
    named = [
        (_("补充资料与材料，提交核验"), org.submitted_at if place > 0 else None, ""),
        (_("平台核验"), None, _("平台管理员核对资料与材料，结果发到各成员的邮箱。") if place == 1 else ""),
        (_("办理业务"), org.verified_at if place > 1 else None, ""),
    ]
    return [
        {"title": title, "when": when, "text": text, "state": "done" if i < place else "now" if i == place else "next"}
        for i, (title, when, text) in enumerate(named)
    ]
