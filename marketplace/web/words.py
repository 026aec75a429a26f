"""Plain words for the codes of the journal, the deadline table and approvals, and the page of each subject.

A kind without words here is shown by its code; ``tests/web/test_web_words.py`` names every such kind.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from flask import current_app, url_for
from werkzeug.routing import BuildError

from marketplace.core.access import current_actor, policy_of
from marketplace.core.i18n import _l


class Due(NamedTuple):
    """What falls due, and what happens then."""

    title: Any
    then: Any


APPROVAL_TEXT: dict[str, Any] = {
    "case.approve": _l("批准不良案件"),
    "deposit.confirm": _l("确认收到保证金"),
    "balance.confirm": _l("确认收到余款"),
    "payment.confirm": _l("确认到账"),
    "statement.match": _l("确认流水匹配"),
    "release.confirm": _l("确认保证金退还"),
    "release_order.confirm": _l("确认保证金退还"),
    "release_order.issue": _l("签发保证金退还单"),
    "deposit.forfeit": _l("没收保证金"),
    "listing.publish": _l("发布挂牌"),
    "listing.withdraw": _l("撤回挂牌"),
    "lot.withdraw": _l("撤回拍卖"),
    "lot.default": _l("认定悔拍"),
}
DEADLINE_TEXT: dict[str, Due] = {
    "lot.open": Due(_l("竞价开始"), _l("到时自动开始，无需操作。")),
    "lot.close": Due(_l("竞价结束"), _l("最后五分钟内有出价会自动延时；结束后自动得出结果。")),
    "lot.resume": Due(_l("恢复竞价"), _l("到时自动恢复。")),
    "deposit.due": Due(_l("缴纳保证金"), _l("逾期未到账不能参加竞价。")),
    "deposit.release": Due(_l("退还保证金"), _l("平台须在此之前退还未成交者的保证金。")),
    "balance.due": Due(_l("支付余款"), _l("逾期未付按悔拍处理。")),
    "lot.balance": Due(_l("支付余款"), _l("逾期未付按悔拍处理。")),
    "award.balance": Due(_l("支付余款"), _l("逾期未付按悔拍处理。")),
    "annuity.due": Due(_l("缴纳年费"), _l("逾期进入六个月宽限期，并加收滞纳金。")),
}
EVENT_TEXT: dict[str, Any] = {
    "case.created": _l("录入了案件"),
    "case.edited": _l("修改了案件"),
    "case.submitted": _l("提交了案件复核"),
    "case.approved": _l("案件已批准"),
    "case.returned": _l("案件被退回"),
    "case.withdrawn": _l("案件已撤回"),
    "case.closed": _l("案件已结"),
    "case.right_added": _l("案件加入了权利"),
    "case.right_removed": _l("案件移除了权利"),
    "organisation.barred": _l("机构被限制参加竞买"),
    "organisation.bar_lifted": _l("竞买限制已解除"),
    "deadline.retried": _l("重试了到期任务"),
    "message.retried": _l("重发了消息"),
}
SUBJECT_TEXT: dict[str, Any] = {
    "case": _l("案件"),
    "right": _l("权利"),
    "listing": _l("挂牌"),
    "lot": _l("拍卖"),
    "deposit": _l("保证金"),
    "receivable": _l("应收款"),
    "organisation": _l("机构"),
    "registration": _l("竞买登记"),
    "release_order": _l("退还单"),
    "statement": _l("银行流水"),
}
# the first page that exists and that the actor may open
SUBJECT_PAGES: dict[str, tuple[str, ...]] = {
    "case": ("cases.case_page",),
    "right": ("rights.right_page",),
    "listing": ("listings.manage_page", "listings.listing_page"),
    "lot": ("auctions.lot_page",),
    "deposit": ("money.deposit_page", "money.desk"),
    "receivable": ("money.receivable_page", "money.desk"),
    "release_order": ("money.release_order", "money.desk"),
    "statement": ("money.statement_page", "money.desk"),
    "organisation": ("parties.manage_page",),
}


def approval_text(kind: str) -> Any:
    return APPROVAL_TEXT.get(kind, kind)


def event_text(kind: str) -> Any:
    """Words for a journal kind; approvals are put together from their own words by the template."""
    return EVENT_TEXT.get(kind, kind)


def due_text(kind: str) -> Due:
    return DEADLINE_TEXT.get(kind, Due(kind, ""))


def subject_text(subject: str) -> Any:
    return SUBJECT_TEXT.get(subject, subject)


def subject_href(subject: str, subject_id: int) -> str | None:
    """The page of a subject that this actor may open, or None."""
    for endpoint in SUBJECT_PAGES.get(subject, ()):
        if endpoint not in current_app.view_functions:
            continue
        policy = policy_of(current_app, endpoint)
        if policy is None or not policy.allows(current_actor()):
            continue
        names = next(iter(current_app.url_map.iter_rules(endpoint))).arguments
        values: dict[str, Any] = dict.fromkeys(names, subject_id)
        try:
            return url_for(endpoint, **values) if len(names) <= 1 else None
        except BuildError:
            continue
    return None
