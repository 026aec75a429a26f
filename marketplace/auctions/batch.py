"""Bids that wait for the same lot in this process are decided by one of their threads, under one wait for the lock.

Law 1 has its one exception here (docs/house.md): the transaction of a bid that came over HTTP is committed along
with its last statement, so that the lot's lock ends in the database and not at this thread's next turn. Nobody is
answered before that commit. A thread that finds nobody at the lot leads: it takes along whoever came since, in order
of arrival, and afterwards wakes the next one to lead. When it fails, whatever happened, each of the others bids alone
in its own transaction; the key of a bid makes that safe even when the commit had happened after all.
"""

from __future__ import annotations

import threading
from datetime import datetime

from marketplace.auctions.rules.state import BidKind
from marketplace.auctions.service_bids import Ask, BidAnswer, ask_of, decide_all
from marketplace.core.access import SignInNeeded
from marketplace.core.actor import Actor
from marketplace.core.db import db, let_go

MOST = 64  # bids decided at once
PATIENCE_SECONDS = 20.0  # longer than the lock's and the statement's own limits let a healthy leader take


class Ticket:
    """One waiting bid. Woken with its answer, as the next leader, or, with neither, to bid alone."""

    __slots__ = ("answer", "answered", "ask", "leads", "woken")

    def __init__(self, ask: Ask) -> None:
        self.ask = ask
        self.answer: BidAnswer | None = None
        self.answered = self.leads = False
        self.woken = threading.Lock()
        self.woken.acquire()


_guard = threading.Lock()
_waiting: dict[int, list[Ticket]] = {}  # a lot stands here while someone leads it


def place_bid_at_once(
    actor: Actor,
    lot_id: int,
    amount_minor: int,
    idempotency_key: str,
    kind: BidKind = "ordinary",
    received_at: datetime | None = None,
    confirmed_high: bool = False,
    mark: str | None = None,
) -> BidAnswer:
    """``place_bid`` for the edge: commits, may be decided together with others, and proves the sign-in again under
    the lot's lock (the actor's token; for a session its ``mark``), so that the edge may have remembered it from a
    moment ago. ``SignInNeeded`` when it no longer stands; nothing is kept then."""
    ask = ask_of(actor, amount_minor, idempotency_key, kind, received_at, confirmed_high, True, mark)
    answer = place(lot_id, ask)
    if answer is None:
        raise SignInNeeded
    return answer


def place(lot_id: int, ask: Ask) -> BidAnswer | None:
    """Decide the bid, together with others where some wait; None when the sign-in no longer stands. Ends this
    thread's transaction, before it waits: those who wait must not hold the connections that who leads them needs."""
    let_go()
    ticket = Ticket(ask)
    with _guard:
        queue = _waiting.get(lot_id)
        if queue is None:
            _waiting[lot_id] = []
        else:
            queue.append(ticket)
    if queue is None:
        return _lead(lot_id, ticket)
    if not ticket.woken.acquire(timeout=PATIENCE_SECONDS) and not _step_out(queue, ticket):
        ticket.woken.acquire()  # someone has it in hand, and wakes it whatever happens
    if ticket.answered:
        return ticket.answer
    return _lead(lot_id, ticket) if ticket.leads else decide_all(lot_id, [ask], then_commit=True)[0]


def _step_out(queue: list[Ticket], ticket: Ticket) -> bool:
    with _guard:
        if ticket not in queue:
            return False
        queue.remove(ticket)
        return True


def _lead(lot_id: int, own: Ticket) -> BidAnswer | None:
    others: list[Ticket] = []
    try:
        others = _take(lot_id, own)
        try:
            answers = decide_all(lot_id, [own.ask, *(ticket.ask for ticket in others)], then_commit=True)
        except Exception:
            if not others:
                raise
            _wake(others)
            others = []
            db.session.rollback()
            answers = decide_all(lot_id, [own.ask], then_commit=True)
        for ticket, answer in zip(others, answers[1:], strict=True):
            ticket.answer, ticket.answered = answer, True
        return answers[0]
    finally:
        _wake(others)
        _pass_on(lot_id)


def _take(lot_id: int, own: Ticket) -> list[Ticket]:
    """Those who wait now, in order. A second bid with the same key stays behind: it must see the first's answer."""
    seen = {(own.ask.org_id, own.ask.key)}
    taken: list[Ticket] = []
    with _guard:
        queue = _waiting[lot_id]
        for ticket in list(queue):
            name = (ticket.ask.org_id, ticket.ask.key)
            if name not in seen and len(taken) < MOST - 1:
                seen.add(name)
                taken.append(ticket)
                queue.remove(ticket)
    return taken


def _wake(tickets: list[Ticket]) -> None:
    for ticket in tickets:
        ticket.woken.release()


def _pass_on(lot_id: int) -> None:
    with _guard:
        queue = _waiting[lot_id]
        if not queue:
            del _waiting[lot_id]
            return
        following = queue.pop(0)
        following.leads = True
    following.woken.release()
