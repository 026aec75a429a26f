"""The end of a round: exactly one result, and everything that follows from it, in one transaction."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select

from marketplace.auctions import letters
from marketplace.auctions.announce import announce_later
from marketplace.auctions.locks import lock_lot
from marketplace.auctions.models import Award, CourseEntry, LotResult, LotState, Registration
from marketplace.auctions.outage import silence_across
from marketplace.auctions.rules.closing import NotYet, Outcome, Standing, decide_close
from marketplace.auctions.rules.course import course_document, result_of
from marketplace.auctions.rules.profiles import scaled, span
from marketplace.auctions.sale import ENDED, Sale, append_event, entries_of, public_entries, rules_state, sale_of
from marketplace.auctions.seals import sign_course
from marketplace.auctions.service_lots import prolong_lot
from marketplace.core import deadlines, outbox
from marketplace.core.actor import SYSTEM, Actor
from marketplace.core.calendar import add_days, day_ends, is_working_day, legal_date
from marketplace.core.db import db
from marketplace.core.events import record

OUTAGE_REASON = "系统服务中断跨越竞价结束时间，竞价顺延"


def close_lot(lot_id: int, actor: Actor = SYSTEM) -> datetime | None:
    """Close the round if its end has come (handler of ``lot.close``); safe to run any number of times.

    Returns the new instant when the end has moved or an outage across it prolongs the sale, None when there is
    nothing left to do: ended, or suspended (``resume_lot`` schedules the close anew).
    """
    row, now = lock_lot(lot_id)
    if row.state in ENDED or row.state == "suspended":
        return None
    if now < row.ends_at:
        return row.ends_at
    sale = sale_of(lot_id)
    profile = sale.profile
    # real seconds, also in a sandbox: a restart of the platform takes as long there
    silence = silence_across(row.ends_at, now, timedelta(seconds=profile.outage_silence.value))
    if silence is not None:
        left = max(row.ends_at - max(silence.since, row.opens_at), span(profile.outage_extension, profile))
        return prolong_lot(actor, row, now, now + left, OUTAGE_REASON).ends_at
    outcome = decide_close(rules_state(sale, row), _standings(lot_id), now)
    if isinstance(outcome, NotYet):
        return outcome.ends_at
    if not isinstance(outcome, Outcome):
        return None
    _write(sale, row, outcome, actor)
    return None


def _standings(lot_id: int) -> list[Standing]:
    rows = db.session.execute(
        select(CourseEntry.code, CourseEntry.rank, CourseEntry.amount_minor, CourseEntry.seq)
        .where(CourseEntry.lot_id == lot_id, CourseEntry.kind == "bid")
        .order_by(CourseEntry.seq)
    )
    return [Standing(code or "", rank, amount or 0, seq) for code, rank, amount, seq in rows]


def _write(sale: Sale, row: LotState, outcome: Outcome, actor: Actor) -> None:
    """The closed entry, the one result, and what the rule gives to each: winner, backup, losers, seller."""
    append_event(sale.lot_id, outcome.record, actor.user_id)
    after = outcome.state
    row.state = outcome.outcome
    row.seq, row.last_hash, row.last_at = after.seq, after.last_hash, after.last_at
    row.version += 1
    bidders = {
        code: (registration_id, org_id)
        for code, registration_id, org_id in db.session.execute(
            select(Registration.code, Registration.id, Registration.org_id).where(Registration.lot_id == sale.lot_id)
        )
    }
    winner = bidders[outcome.winner.code] if outcome.winner else None
    backup = bidders[outcome.backup.code] if outcome.backup else None
    db.session.add(
        LotResult(
            lot_id=sale.lot_id,
            outcome=outcome.outcome,
            closed_at=outcome.closed_at,
            final_ends_at=outcome.ends_at,
            price_minor=outcome.price_minor,
            winner_registration_id=winner[0] if winner else None,
            backup_registration_id=backup[0] if backup else None,
            backup_price_minor=outcome.backup.amount_minor if outcome.backup else None,
            bids=outcome.bid_count,
            head_hash=after.last_hash,
            signature=_signature(sale),
        )
    )
    db.session.flush()
    closed_at = outcome.closed_at
    if winner and outcome.price_minor is not None:
        backup_org = backup[1] if backup else None
        kept = backup_org if sale.profile.backup_deposit_kept.value else None
        keep = [winner[1]] + ([kept] if kept else [])
        refund_by = release_deposits(sale, keep, closed_at, actor)
        row.after_sale = "awaiting_balance"
        award = Award(
            lot_id=sale.lot_id,
            position=1,
            registration_id=winner[0],
            org_id=winner[1],
            price_minor=outcome.price_minor,
            state="awaiting_balance",
        )
        db.session.add(award)
        record(
            "lot.sold",
            "lot",
            sale.lot_id,
            actor,
            public=True,
            listing_id=sale.listing_id,
            price_minor=outcome.price_minor,
        )
        ask_for_balance(sale, row, award, closed_at, actor)
        letters.seller_sold(sale, outcome.price_minor)
        if backup_org:
            letters.backup(sale, backup_org, bool(kept))
        _tell_losers(sale, {winner[1], backup_org}, refund_by)
    else:
        refund_by = release_deposits(sale, [], closed_at, actor)
        record("lot.unsold", "lot", sale.lot_id, actor, public=True, listing_id=sale.listing_id)
        _next_round_due(sale, closed_at)
        letters.seller_unsold(sale)
        _tell_losers(sale, set(), refund_by)
    outbox.post("protocol.make", {"lot_id": sale.lot_id}, dedupe_key=f"protocol:{sale.lot_id}")
    db.session.flush()
    announce_later(sale.lot_id, row.version)


def _signature(sale: Sale) -> str:
    """The platform's signature over the head of the course as it stands at the close."""
    entries = public_entries(entries_of(sale.lot_id))
    signed = sign_course(course_document(sale.lot_facts(), entries, result_of(entries)))
    return str(signed["signature"]["value"])


def release_deposits(sale: Sale, keep_org_ids: list[int], closed_at: datetime, actor: Actor) -> datetime:
    """Deposits go back by 24 hours after the end (网拍规定 art. 23), except to these; returns until when."""
    from marketplace.money import service as money

    due_at = closed_at + span(sale.profile.refund_hours, sale.profile)
    money.release_lot_deposits(sale.lot_id, keep_org_ids, due_at, actor)
    return due_at


def balance_due(sale: Sale, since: datetime) -> datetime:
    """When the balance is due: as many days as the notice says, to the end of that day in Shanghai."""
    unit = sale.profile.balance_days.unit
    if sale.profile.sandbox:
        return since + scaled(timedelta(days=sale.balance_days), sale.profile)
    return day_ends(add_days(legal_date(since), sale.balance_days, unit, is_working_day))


def ask_for_balance(sale: Sale, row: LotState, award: Award, since: datetime, actor: Actor) -> None:
    """The deposit counts toward the price (网拍规定 art. 25), the rest falls due. The lot is locked."""
    from marketplace.money import queries as money_queries
    from marketplace.money import service as money

    due_at = balance_due(sale, since)
    award.balance_due_at = due_at
    db.session.flush()
    deposit = money_queries.deposit_of(sale.lot_id, award.org_id)
    applied = 0
    if deposit is not None and deposit.state in ("held", "waived"):
        refund_by = since + span(sale.profile.refund_hours, sale.profile)
        applied = money.apply_deposit(sale.lot_id, award.org_id, award.price_minor, actor, due_at=refund_by)
    rest = award.price_minor - applied
    letters.won(sale, award.org_id, award.price_minor, rest, due_at)
    deadlines.schedule("balance.due", "lot", sale.lot_id, due_at, award.org_id)
    money.open_balance(sale.lot_id, award.org_id, rest, sale.currency, due_at)


def _tell_losers(sale: Sale, others: set[int | None], refund_by: datetime) -> None:
    losers = db.session.scalars(
        select(Registration.org_id).where(Registration.lot_id == sale.lot_id, Registration.state == "qualified")
    )
    for org_id in losers:
        if org_id not in others:
            letters.lost(sale, org_id, refund_by)


def _next_round_due(sale: Sale, closed_at: datetime) -> None:
    following = sale.profile.round(sale.round_no + 1)
    term = following.within_days_of_failure if following else None
    if term is None:
        return
    if sale.profile.sandbox:
        latest = closed_at + span(term, sale.profile)
    else:
        latest = day_ends(add_days(legal_date(closed_at), term.value, term.unit, is_working_day))
    deadlines.schedule("lot.next_round_due", "lot", sale.lot_id, latest, sale.seller_id)
