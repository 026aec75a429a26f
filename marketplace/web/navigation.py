"""The menu of each role, and what templates know about the one who looks.

Entries name endpoints; one that does not exist, or whose policy refuses the actor, is left out, so that
nothing links to a missing or forbidden page.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import current_app, g, request, url_for
from werkzeug.routing import BuildError

from marketplace.core.access import current_actor, policy_of
from marketplace.core.actor import BANK, ENTERPRISE, OPERATOR, PLATFORM, REGULATOR
from marketplace.core.i18n import LANGUAGES, _l, _lp, get_locale

if TYPE_CHECKING:
    from marketplace import Zhiliu

Entries = tuple[tuple[str, Any], ...]
DESK = ("web.desk", _l("工作台"))
APPROVALS = ("web.approvals", _l("复核"))
PUBLIC_ENTRIES = (
    ("listings.public_list", _l("拍品")),
    ("listings.results", _l("成交结果")),
    ("interest.board", _l("技术需求")),
)
BIDDER = (
    DESK,
    ("auctions.my_registrations", _l("竞买")),
    ("money.my_deposits", _l("保证金与付款")),
    ("interest.my_needs", _l("需求与订阅")),
    APPROVALS,
)
MENUS = {
    BANK: (
        DESK,
        ("cases.case_list", _l("不良案件")),
        ("cases.import_list", _l("批量导入")),
        ("rights.right_list", _l("知识产权")),
        ("listings.mine", _l("挂牌")),
        ("interest.matching_needs", _l("匹配的需求")),
        ("money.my_proceeds", _l("应收价款")),
        APPROVALS,
    ),
    OPERATOR: BIDDER,
    ENTERPRISE: BIDDER,
    PLATFORM: (
        DESK,
        ("parties.manage_list", _l("机构审核")),
        ("listings.manage_list", _l("挂牌审核")),
        ("interest.manage_needs", _lp("menu", "需求审核")),
        ("auctions.manage_lots", _l("竞价管理")),
        ("money.desk", _l("资金")),
        APPROVALS,
        ("discovery.manage_search", _lp("menu", "搜索索引")),
        ("web.jobs_desk", _lp("menu", "任务与消息")),
    ),
    REGULATOR: (DESK, ("cases.case_list", _l("不良案件"))),
}
VISITOR = (("web.home", _l("首页")), *PUBLIC_ENTRIES, ("web.how", _l("拍卖怎么进行")))
NO_ORG = (DESK, *PUBLIC_ENTRIES)
ACCOUNT = (
    ("parties.members", _l("成员与权限")),
    ("parties.settings", _l("机构资料与设置")),
    ("security.two_factor_setup", _l("两步验证")),
    ("security.change_password", _l("修改密码")),
)
FOOT = (
    ("web.how", _l("拍卖怎么进行")),
    ("listings.public_list", _l("拍品")),
    ("listings.results", _l("成交结果")),
    ("interest.open_data", _l("开放数据")),
    ("web.developers", _l("接口（API）")),
    ("web.signing_key", _l("验签公钥")),
)
KINDS = {
    BANK: _l("银行"),
    OPERATOR: _l("运营机构"),
    ENTERPRISE: _l("企业"),
    PLATFORM: _l("平台"),
    REGULATOR: _l("监管"),
}


def entry(endpoint: str, label: Any) -> dict[str, Any] | None:
    """The entry, or None where this actor cannot go."""
    if endpoint not in current_app.view_functions:
        return None
    policy = policy_of(current_app, endpoint)
    if policy is None or not policy.allows(current_actor()):
        return None
    try:
        return {"endpoint": endpoint, "label": label, "href": url_for(endpoint), "current": False}
    except BuildError:
        return None


def entries(named: Entries) -> list[dict[str, Any]]:
    return [found for endpoint, label in named if (found := entry(endpoint, label))]


def mark_current(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The entry whose address is the longest beginning of this page's address."""
    within = [i for i in items if request.path == i["href"] or request.path.startswith(i["href"].rstrip("/") + "/")]
    exact = [i for i in within if i["href"] != "/" or request.path == "/"]
    if exact:
        max(exact, key=lambda i: len(i["href"]))["current"] = True
    return items


def menu() -> dict[str, Any]:
    actor = current_actor()
    named: Entries
    if actor.user_id is None:
        named = VISITOR
    elif actor.org_kind is None:
        named = NO_ORG
    else:
        named = (*MENUS[actor.org_kind], *PUBLIC_ENTRIES)
    register = entry("security.register", "") or entry("parties.register", "")
    return {
        "main": mark_current(entries(named)),
        "account": entries(ACCOUNT) if actor.user_id else [],
        "foot": entries(FOOT),
        "register": register["href"] if register else None,
    }


def language_href(code: str) -> str:
    """This page in another language; home where the page answers only to POST."""
    rule = request.url_rule
    if rule is not None and "GET" not in (rule.methods or ()):
        return f"/?lang={code}"
    from urllib.parse import urlencode

    from werkzeug.urls import iri_to_uri

    kept = [(name, value) for name, value in request.args.items(multi=True) if name != "lang"]
    return iri_to_uri(request.path) + "?" + urlencode([*kept, ("lang", code)])


class Me:
    """Names of the signed-in user and organisation, as sign-in found them; no query. Empty while the database is
    away, so that the error page can still be drawn."""

    def __init__(self) -> None:
        self.actor = current_actor()

    @property
    def name(self) -> str:
        row = self._row()
        return str(row.display_name or row.email) if row is not None else ""

    @property
    def org_name(self) -> str:
        row = self._row()
        return str(row.org_name) if row is not None and self.actor.org_id is not None else ""

    def _row(self) -> Any:
        """The user's row for the organisation they act for; one without, where sign-in is not complete."""
        rows = g.get("who") or [None]
        return next((row for row in rows if row is not None and row.org_id == self.actor.org_id), rows[0])

    @property
    def kind(self) -> Any:
        return KINDS.get(self.actor.org_kind or "", "")


def configure_navigation(app: Zhiliu) -> None:
    app.jinja_env.tests["endpoint"] = lambda name: name in app.view_functions

    @app.context_processor
    def known() -> dict[str, object]:
        return {
            "actor": current_actor(),
            "lang": str(get_locale() or "zh"),
            "demo": app.settings.demo,
            "menu": menu(),
            "me": Me(),
            "language_href": language_href,
        }


__all__ = ["KINDS", "LANGUAGES", "configure_navigation", "menu"]
