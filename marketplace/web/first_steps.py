"""What a member of each kind of organisation does first; steps whose page does not exist yet carry no link."""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import partial
from typing import Any

from sqlalchemy import Exists, exists, select

from marketplace.auctions import queries as auctions
from marketplace.core.actor import BANK, ENTERPRISE, OPERATOR, PLATFORM, REGULATOR, Actor
from marketplace.core.db import db
from marketplace.core.i18n import _l
from marketplace.core.models import Event
from marketplace.money import queries as money
from marketplace.web.navigation import entry

SELLER = (
    (_l("录入或导入不良案件"), _l("贷款、债权、质押登记和所质押的知识产权；可以用表格一次导入。"), "cases.case_list"),
    (_l("由另一名成员复核"), _l("案件须经本机构第二人批准，才能挂牌。"), "web.approvals"),
    (_l("挂牌并提交平台审核"), _l("选择规则方案，系统算出公告、竞价、付款的全部时间。"), "listings.mine"),
    (_l("公告、竞价、收款"), _l("到时自动进行；每一步都会通知您，并写明接下来的时间。"), None),
)
BUYER = (
    (_l("看拍品和公告"), _l("权属、负担、瑕疵、价格依据和文件都在公告里。"), "listings.public_list"),
    (_l("报名，先看是否符合条件"), _l("不符合的原因会在缴款前逐条写明。"), "auctions.my_registrations"),
    (_l("按指定的附言缴保证金"), _l("对公转账，附言里写参考号；到账由平台两人确认。"), None),
    (_l("出价"), _l("最后五分钟有人出价会延时五分钟；每次出价都有签名回执。"), None),
    (_l("付余款，办理权利变更"), _l("成交确认书和所需文件都在拍卖页面。"), None),
)
LICENSEE = (
    BUYER[0],
    (
        _l("订阅搜索，发布技术需求"),
        _l("有新的拍品符合就收到邮件；说出要找的技术，让权利人来找您。"),
        "interest.my_needs",
    ),
    *BUYER[1:],
)
MANAGER = (
    (_l("审核机构"), _l("核对统一社会信用代码和证明文件，写明理由。"), "parties.manage_list"),
    (_l("审核并发布挂牌"), _l("一人审核，另一人发布。"), "listings.manage_list"),
    (_l("导入银行流水，确认到账"), _l("对得上参考号的自动匹配，其余由两人确认。"), "money.desk"),
    (_l("看任务是否正常"), _l("到期未办、发送失败的都列在那里。"), "web.jobs_desk"),
)
WATCHER = (
    (_l("看正在进行的拍卖"), _l("公告、规则、出价过程都公开；竞买人以代码显示。"), "listings.public_list"),
    (_l("看各机构的案件"), _l("案件的债权、路径和状态，只读。"), "cases.case_list"),
    (_l("看成交结果"), _l("每一轮只有一个结果，附成交记录。"), "listings.results"),
    (_l("核验一场拍卖"), _l("用公钥和核验程序，自己验证出价过程没有被改动。"), "web.how"),
)
VERIFY = (
    _l("完善机构资料并提交审核"),
    _l("平台审核通过后才能挂牌或竞买；结果会发邮件。"),
    "parties.settings",
)
MADE_BY_COMMAND = (PLATFORM, REGULATOR)  # nobody has to verify them
STEPS = {BANK: SELLER, OPERATOR: BUYER, ENTERPRISE: LICENSEE, PLATFORM: MANAGER, REGULATOR: WATCHER}


def journal(org_id: int, kind: str) -> Exists:
    """Condition: the journal tells this of the organisation."""
    return exists().where(Event.org_id == org_id, Event.kind == kind)


def looked(org_id: int) -> Exists:
    """Who registered has looked at offers before."""
    return journal(org_id, "registration.made")


BOUGHT = (looked, money.deposit_held, auctions.sale_won, money.balance_paid)
#: By what an organisation's steps are known to be taken, in their order; a later one implies those before it.
TAKEN: dict[str, tuple[Callable[[int], Exists], ...]] = {
    BANK: tuple(partial(journal, kind=kind) for kind in ("case.created", "case.approved", "listing.submitted")),
    OPERATOR: (looked, *BOUGHT),
    ENTERPRISE: (partial(journal, kind="need.submitted"),) * 2 + BOUGHT,
}


def taken(actor: Actor) -> int:
    """How many of its steps the organisation has taken already. One statement."""
    wanted = TAKEN.get(actor.org_kind or "", ())
    if actor.org_id is None or not wanted:
        return 0
    row = db.session.execute(select(*(sign(actor.org_id) for sign in wanted))).one()
    return max((number for number, done in enumerate(row, 1) if done), default=0)


def first_steps(actor: Actor, waits_at: Collection[str] = ()) -> list[dict[str, Any]]:
    """The way from here, the next step marked. The work of the platform and of those who watch has no order: of its
    steps the first at whose page something waits (``waits_at``: addresses) is marked, or none."""
    found: list[dict[str, Any]] = []
    if actor.org_kind not in MADE_BY_COMMAND:
        found.append(step(*VERIFY, "done" if actor.org_verified else "now"))
    ready = actor.org_verified or actor.org_kind in MADE_BY_COMMAND
    done = taken(actor) if ready else 0
    for number, (title, text, endpoint) in enumerate(STEPS.get(actor.org_kind or "", ())):
        state = "done" if number < done else "now" if ready and number == done else "next"
        found.append(step(title, text, endpoint, state))
    if actor.org_kind in MADE_BY_COMMAND:
        here = next((i for i in found if i["href"] and any(at.startswith(i["href"]) for at in waits_at)), None)
        for item in found:
            item["state"] = "now" if item is here else "next"
    return found


def step(title: Any, text: Any, endpoint: str | None, state: str) -> dict[str, Any]:
    page = entry(endpoint, title) if endpoint else None
    return {"title": title, "text": text, "href": page["href"] if page else None, "state": state}
