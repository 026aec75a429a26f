"""What bidders, seller and managers are told by mail. One mail a cause: each has its own key."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from marketplace.auctions.sale import Sale
from marketplace.auctions.wording import moment
from marketplace.core.i18n import _l, lazy_title
from marketplace.core.money import format_minor
from marketplace.parties import notices


def link_to(sale: Sale) -> str:
    """The lot's page."""
    return f"/lots/{sale.lot_id}"


def _write(sale: Sale, org_id: int, what: str, subject: Any, body: Any) -> None:
    notices.notify_org(org_id, subject, body, link_to(sale), dedupe_key=f"{what}:{sale.lot_id}:{org_id}")


def qualified(sale: Sale, org_id: int) -> None:
    subject = _l("您已取得竞买资格：%(title)s", title=lazy_title(sale))
    body = _l("保证金已确认。竞价将于 %(opens)s 开始，请届时登录出价。", opens=moment(sale.opens_at))
    _write(sale, org_id, "lot.qualified", subject, body)


def preemption_decided(sale: Sale, org_id: int, confirmed: bool, rank: int, reason: str | None) -> None:
    subject = _l("优先购买权审核结果：%(title)s", title=lazy_title(sale))
    if confirmed:
        body = _l("您的优先购买权已确认，顺位为第 %(rank)s 位。", rank=rank)
    else:
        body = _l("您的优先购买权申请未获确认，理由：%(reason)s。您可以按普通竞买人参加。", reason=reason or "")
    _write(sale, org_id, "lot.preemption", subject, body)


def won(sale: Sale, org_id: int, price_minor: int, balance_minor: int, due_at: datetime) -> None:
    subject = _l("您已竞得标的：%(title)s", title=lazy_title(sale))
    body = _l(
        "成交价 %(price)s。保证金抵作价款后，请于 %(due)s 前付清余款 %(balance)s；付款账户和附言见标的页。",
        price=format_minor(price_minor, sale.currency),
        balance=format_minor(balance_minor, sale.currency),
        due=moment(due_at),
    )
    _write(sale, org_id, "lot.won", subject, body)


def lost(sale: Sale, org_id: int, refund_by: datetime) -> None:
    subject = _l("竞价结束，您未竞得标的：%(title)s", title=lazy_title(sale))
    body = _l("您交纳的保证金将于 %(due)s 前退回贵机构登记的账户，无需申请。", due=moment(refund_by))
    _write(sale, org_id, "lot.lost", subject, body)


def backup(sale: Sale, org_id: int, kept: bool) -> None:
    subject = _l("您是候补买受人：%(title)s", title=lazy_title(sale))
    if kept:
        body = _l("竞得人未付清余款时，您可以按您的最高出价买受。您的保证金留存至竞得人付清余款，届时退回。")
    else:
        body = _l("您的出价排在第二位。保证金将按时退回，无需申请。")
    _write(sale, org_id, "lot.backup", subject, body)


def seller_sold(sale: Sale, price_minor: int) -> None:
    subject = _l("标的已成交：%(title)s", title=lazy_title(sale))
    body = _l("成交价 %(price)s，等待买受人付清余款。", price=format_minor(price_minor, sale.currency))
    _write(sale, sale.seller_id, "lot.sold", subject, body)


def seller_unsold(sale: Sale) -> None:
    subject = _l("标的流拍：%(title)s", title=lazy_title(sale))
    body = _l("本轮无人出价。请在挂牌页面安排下一轮，或者申请撤回。")
    _write(sale, sale.seller_id, "lot.unsold", subject, body)


def barred(sale: Sale, org_id: int, reason: str, source: str) -> None:
    subject = _l("贵机构被限制参加竞价：%(title)s", title=lazy_title(sale))
    body = _l(
        "理由：%(reason)s（依据：%(source)s）。自即日起不能再对该标的及其后续轮次出价，已作的出价仍然有效；"
        "保证金在竞价结束后按期退回。如有异议，请联系平台。",
        reason=reason,
        source=source,
    )
    _write(sale, org_id, "lot.barred", subject, body)


def qualification_filed(sale: Sale) -> None:
    subject = _l("有受让资格证明待审核：%(title)s", title=lazy_title(sale))
    body = _l("请核对证明文件，说明理由后确认或者不予确认；确认之前不向该机构收取保证金。")
    notices.notify_managers(subject, body, f"/manage/lots/{sale.lot_id}#qualifications")


def qualification_decided(
    sale: Sale, org_id: int, qualification_id: int, confirmed: bool, reason: str, at: datetime
) -> None:
    subject = _l("受让资格审核结果：%(title)s", title=lazy_title(sale))
    if confirmed:
        body = _l("受让资格已确认，理由：%(reason)s。您现在可以报名并交纳保证金。", reason=reason)
    else:
        body = _l("受让资格未获确认，理由：%(reason)s。可以补充材料后重新提交。", reason=reason)
    _write(sale, org_id, f"lot.qualification:{qualification_id}:{at.isoformat()}", subject, body)


def next_round_published(sale: Sale, org_id: int) -> None:
    subject = _l("新一轮竞价已公告：%(title)s", title=lazy_title(sale))
    body = _l(
        "第 %(n)s 轮起拍价 %(price)s，竞价于 %(opens)s 开始。参加的请重新报名并交纳本轮保证金；"
        "已确认的优先购买权和受让资格继续有效。",
        n=sale.round_no,
        price=format_minor(sale.start_minor, sale.currency),
        opens=moment(sale.opens_at),
    )
    _write(sale, org_id, "lot.next_round_published", subject, body)


def overdue(sale: Sale, org_id: int) -> None:
    subject = _l("余款逾期：%(title)s", title=lazy_title(sale))
    body = _l("余款未在期限内到账。已付款的请立即联系平台核对；未付款的将按悔拍处理，保证金不予退还。")
    _write(sale, org_id, "lot.overdue", subject, body)
    manager_body = _l("买受人未按期付清余款。请核对银行流水，确认未付后申请认定悔拍。")
    notices.notify_managers(subject, manager_body, link_to(sale), dedupe_key=f"lot.overdue:{sale.lot_id}:{org_id}")


def defaulted(sale: Sale, org_id: int) -> None:
    subject = _l("已认定悔拍：%(title)s", title=lazy_title(sale))
    body = _l("贵机构未按期付清余款，保证金不予退还，并不得参加该标的的重新处置。")
    _write(sale, org_id, "lot.defaulted", subject, body)
    seller_body = _l("买受人已被认定悔拍。您可以由候补买受人递补（约定处置），或者安排重新处置。")
    _write(sale, sale.seller_id, "lot.defaulted", subject, seller_body)


def offered(sale: Sale, org_id: int, price_minor: int, answer_by: datetime) -> None:
    subject = _l("您可以递补买受：%(title)s", title=lazy_title(sale))
    body = _l(
        "原买受人悔拍。您可以按您的最高出价 %(price)s 买受，请于 %(due)s 前登录确认或者放弃。",
        price=format_minor(price_minor, sale.currency),
        due=moment(answer_by),
    )
    _write(sale, org_id, "lot.offered", subject, body)


def paid(sale: Sale, org_id: int) -> None:
    subject = _l("余款已付清：%(title)s", title=lazy_title(sale))
    body = _l("价款已全部到账，接下来办理权利变更手续，所需文件见标的页。")
    _write(sale, org_id, "lot.paid", subject, body)
    _write(sale, sale.seller_id, "lot.paid", subject, body)


def next_round_late(sale: Sale) -> None:
    subject = _l("下一轮处置期限已到：%(title)s", title=lazy_title(sale))
    body = _l("流拍后最迟应当安排下一轮的日期已到，尚未安排。请尽快决定下一步渠道。")
    _write(sale, sale.seller_id, "lot.next_round", subject, body)
