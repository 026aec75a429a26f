"""After the hammer: balance, default, backup, completion. The next round stands in ``service_rounds``."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select

from marketplace.auctions import letters
from marketplace.auctions.announce import announce_later
from marketplace.auctions.completion import missing_documents
from marketplace.auctions.locks import lock_lot
from marketplace.auctions.models import Award, Lot, LotResult, LotState, Registration
from marketplace.auctions.rule_words import say
from marketplace.auctions.rules.closing import apply_forfeit
from marketplace.auctions.rules.findings import Term
from marketplace.auctions.rules.profiles import span
from marketplace.auctions.sale import Sale, sale_of
from marketplace.auctions.service_close import ask_for_balance
from marketplace.core import approvals, deadlines
from marketplace.core.actor import SYSTEM, Actor
from marketplace.core.clock import now
from marketplace.core.db import db
from marketplace.core.errors import Forbidden, Refused
from marketplace.core.events import record
from marketplace.core.i18n import _l
from marketplace.parties import service as parties

ANSWER_TERM = Term(3, "days", "平台规则（候补买受人确认期限）", "contract")
FORFEIT_USES = {"case_debt": "debt"}  # the money room's name of the use


def balance_paid(lot_id: int, org_id: int, actor: Actor) -> None:
    """``balance.paid``: the live award is paid; a backup's kept deposit goes back. Idempotent.

    The caller holds the receivable, which comes after the lot in the order of locks: so this does not wait for the
    lot; when somebody holds it, the deadline ``balance.settle`` does the same in a moment.
    """
    state = db.session.scalar(
        select(LotState)
        .where(LotState.lot_id == lot_id)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    )
    if state is None:
        deadlines.schedule("balance.settle", "lot", lot_id, now())
        return
    _settle(state, org_id, actor)


def balance_settled(lot_id: int) -> None:
    """Handler of ``balance.settle``."""
    from marketplace.money import queries as money_queries

    state, _at = lock_lot(lot_id)
    award = _live(lot_id)
    balance = money_queries.balance_of(lot_id, award.org_id) if award else None
    if award is not None and balance is not None and balance.state == "paid":
        _settle(state, award.org_id, SYSTEM)


def _settle(state: LotState, org_id: int, actor: Actor) -> None:
    from marketplace.money import service as money

    lot_id = state.lot_id
    award = _live(lot_id)
    if award is None or award.org_id != org_id or award.state != "awaiting_balance":
        return
    sale = sale_of(lot_id)
    award.state = "paid"
    state.after_sale = "paid"
    _changed(state)
    deadlines.cancel("balance.due", "lot", lot_id)
    money.release_lot_deposits(lot_id, [org_id], now() + span(sale.profile.refund_hours, sale.profile), actor)
    record("lot.paid", "lot", lot_id, actor, public=True, listing_id=sale.listing_id)
    letters.paid(sale, org_id)


def balance_overdue(lot_id: int) -> datetime | None:
    """Handler of ``balance.due``: tells buyer and managers. Nobody loses a deposit by a timer: money may have
    arrived that no statement shows yet, so two managers decide on the default."""
    state, at = lock_lot(lot_id)
    award = _live(lot_id)
    if award is None or award.state != "awaiting_balance" or award.balance_due_at is None:
        return None
    if at < award.balance_due_at:
        return award.balance_due_at
    sale = sale_of(lot_id)
    record("lot.balance_overdue", "lot", lot_id, listing_id=sale.listing_id, award_id=award.id)
    letters.overdue(sale, award.org_id)
    _changed(state)
    return None


def request_default(actor: Actor, lot_id: int, reason: str) -> approvals.Approval:
    """A manager asks to declare the buyer in default (悔拍) once the balance is overdue; another one decides
    (approval ``lot.default``). ``manager_needed``, ``reason_missing``, ``not_overdue``."""
    _manager(actor)
    if not reason.strip():
        raise Refused("reason_missing", _l("请填写理由"))
    award = _live(lot_id)
    if award is None or not _overdue(award, now()):
        raise Refused("not_overdue", _l("余款支付期限尚未届满，不能认定悔拍"))
    return approvals.request("lot.default", "lot", lot_id, actor, reason=reason.strip())


def declare_default(actor: Actor, lot_id: int, reason: str) -> Award:
    """The buyer is in default: the deposit is forfeited in the profile's order, the open balance is cancelled, and
    the buyer is barred from this listing's next rounds (网拍规定 art. 24). ``not_overdue`` when paid meanwhile."""
    from marketplace.money import queries as money_queries
    from marketplace.money import service as money

    state, at = lock_lot(lot_id)
    award = _live(lot_id)
    if award is None or not _overdue(award, at):
        raise Refused("not_overdue", _l("余款已付清或者支付期限尚未届满，不能认定悔拍"))
    sale = sale_of(lot_id)
    deposit = money_queries.deposit_of(lot_id, award.org_id)
    taken = (deposit.held_minor - deposit.released_minor) if deposit is not None else 0
    if deposit is not None and deposit.state in ("held", "applied", "waived"):
        forfeit = apply_forfeit(
            sale.profile,
            deposit_minor=taken,
            original_price_minor=award.price_minor,
            resale_price_minor=None,  # known after the re-auction: until then the rest is held
        )
        split = [(FORFEIT_USES.get(use, use), amount) for use, amount in forfeit.lines if amount]
        money.forfeit_deposit(lot_id, award.org_id, split, actor)
    money.cancel_balance(lot_id, award.org_id, at + span(sale.profile.refund_hours, sale.profile), actor)
    award.state, award.ended_at, award.reason = "defaulted", at, reason.strip()
    state.after_sale = "defaulted"
    _changed(state)
    deadlines.cancel("balance.due", "lot", lot_id)
    rule = sale.profile.default_bars_buyer
    if rule.value:
        parties.bar_org(award.org_id, sale.listing_id, reason, rule.source, actor, lot_id=lot_id)
    record("lot.defaulted", "lot", lot_id, actor, public=True, listing_id=sale.listing_id)
    letters.defaulted(sale, award.org_id)
    return award


def promote_backup(actor: Actor, lot_id: int) -> Award:
    """Offer the lot to the backup at the backup's own bid, on contractual paths only (judicial: re-auction). The
    backup answers within three days. ``manager_needed``, ``not_defaulted``, ``promotion_not_allowed``,
    ``no_backup``, ``round_exists`` (the lot is being sold again)."""
    _manager(actor)
    state, at = lock_lot(lot_id)
    sale = sale_of(lot_id)
    rule = sale.profile.backup_promotion
    if not rule.value:
        raise Refused(
            "promotion_not_allowed", _l("本规则下悔拍后应当重新处置，不得由候补买受人递补"), source=rule.source
        )
    if state.after_sale != "defaulted" or _live(lot_id) is not None:
        raise Refused("not_defaulted", _l("买受人未被认定悔拍"))
    if db.session.scalar(select(Lot.id).where(Lot.previous_lot_id == lot_id)):
        raise Refused("round_exists", _l("下一轮已经安排，不能再由候补买受人递补"))
    result = db.session.get_one(LotResult, lot_id)
    if result.backup_registration_id is None or result.backup_price_minor is None or _answered(lot_id):
        raise Refused("no_backup", _l("没有可以递补的候补买受人"))
    registration = db.session.get_one(Registration, result.backup_registration_id)
    if parties.barred(registration.org_id, sale.listing_id):
        raise Refused("no_backup", _l("没有可以递补的候补买受人"))
    award = Award(
        lot_id=lot_id,
        position=2,
        registration_id=registration.id,
        org_id=registration.org_id,
        price_minor=result.backup_price_minor,
        state="offered",
        answer_due_at=at + span(ANSWER_TERM, sale.profile),
    )
    db.session.add(award)
    state.after_sale = "awaiting_confirmation"
    _changed(state)
    assert award.answer_due_at is not None
    deadlines.schedule("award.answer", "lot", lot_id, award.answer_due_at, award.org_id)
    record("lot.backup_offered", "lot", lot_id, actor, listing_id=sale.listing_id, award_id=award.id)
    letters.offered(sale, award.org_id, award.price_minor, award.answer_due_at)
    return award


def confirm_result(actor: Actor, lot_id: int) -> Award:
    """The backup takes the offer: its deposit counts, the balance falls due. ``no_offer``, ``role_needed``."""
    state, at = lock_lot(lot_id)
    award = _offer(actor, lot_id)
    deadlines.cancel("award.answer", "lot", lot_id)
    award.state = "awaiting_balance"
    state.after_sale = "awaiting_balance"
    _changed(state)
    sale = sale_of(lot_id)
    record("lot.backup_confirmed", "lot", lot_id, actor, public=True, listing_id=sale.listing_id)
    ask_for_balance(sale, state, award, at, actor)
    return award


def decline_award(actor: Actor, lot_id: int, reason: str = "") -> Award:
    """The backup declines, and gets its deposit back. ``no_offer``, ``role_needed``."""
    state, at = lock_lot(lot_id)
    award = _offer(actor, lot_id)
    deadlines.cancel("award.answer", "lot", lot_id)
    _decline(state, award, at, actor, reason)
    return award


def answer_overdue(lot_id: int) -> datetime | None:
    """Handler of ``award.answer``: no answer in time is a refusal."""
    state, at = lock_lot(lot_id)
    award = _live(lot_id)
    if award is None or award.state != "offered" or award.answer_due_at is None:
        return None
    if at < award.answer_due_at:
        return award.answer_due_at
    _decline(state, award, at, SYSTEM, "逾期未确认")
    return None


def _decline(state: LotState, award: Award, at: datetime, actor: Actor, reason: str) -> None:
    sale = sale_of(award.lot_id)
    award.state, award.ended_at, award.reason = "declined", at, reason.strip() or None
    state.after_sale = "defaulted"
    _changed(state)
    release_all(sale, at, actor)
    record("lot.backup_declined", "lot", award.lot_id, actor, listing_id=sale.listing_id, award_id=award.id)


def request_completion(actor: Actor, lot_id: int) -> approvals.Approval:
    """A manager asks to complete the sale when every document of its last stage is there; another one decides
    (approval ``lot.complete``). ``manager_needed``, ``not_paid``, ``documents_missing``."""
    _manager(actor)
    _completable(db.session.get_one(LotState, lot_id, populate_existing=True))
    return approvals.request("lot.complete", "lot", lot_id, actor)


def complete_sale(actor: Actor, lot_id: int) -> LotState:
    """The sale is done: the seller is owed the proceeds. ``manager_needed``, ``not_paid``, ``documents_missing``."""
    from marketplace.money import service as money

    _manager(actor)
    state, _at = lock_lot(lot_id)
    _completable(state)
    sale = sale_of(lot_id)
    state.after_sale = "completed"
    _changed(state)
    money.owe_proceeds(lot_id, sale.seller_id, actor, currency=sale.currency)
    record("lot.completed", "lot", lot_id, actor, public=True, listing_id=sale.listing_id)
    return state


def _completable(state: LotState) -> None:
    if state.after_sale not in ("paid", "title_transfer"):
        raise Refused("not_paid", _l("余款尚未付清，不能办结"))
    missing = missing_documents(state.lot_id)
    if missing:
        names = "、".join(say(item.name_zh) for item in missing)
        raise Refused("documents_missing", _l("尚缺文件：%(names)s", names=names), names=names)


def release_all(sale: Sale, at: datetime, actor: Actor) -> None:
    from marketplace.money import service as money

    money.release_lot_deposits(sale.lot_id, [], at + span(sale.profile.refund_hours, sale.profile), actor)


def _live(lot_id: int) -> Award | None:
    return db.session.scalar(
        select(Award)
        .where(Award.lot_id == lot_id, Award.state.in_(("offered", "awaiting_balance", "paid")))
        .execution_options(populate_existing=True)
    )


def _answered(lot_id: int) -> bool:
    return db.session.scalar(select(Award.id).where(Award.lot_id == lot_id, Award.position == 2)) is not None


def _offer(actor: Actor, lot_id: int) -> Award:
    award = _live(lot_id)
    if award is None or award.state != "offered" or award.org_id != actor.org_id:
        raise Refused("no_offer", _l("没有等待贵机构确认的递补"))
    if actor.token_id is None:
        actor.require("approver")
    return award


def _overdue(award: Award, at: datetime) -> bool:
    return award.state == "awaiting_balance" and award.balance_due_at is not None and at >= award.balance_due_at


def _changed(state: LotState) -> None:
    state.version += 1
    db.session.flush()
    announce_later(state.lot_id, state.version)


def _manager(actor: Actor) -> None:
    if not (actor.is_manager or actor.is_system):
        raise Forbidden("manager_needed", _l("须由平台管理人员操作"))
