"""The lock of a lot (law 4). Bid, extend, close, suspend, resume, withdraw and bar all wait at this one row.

Order over the house: organisation → listing → lot (``lot_state``) → deposit → receivable → ledger account.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import select

from marketplace.auctions.models import LotState
from marketplace.core.clock import now
from marketplace.core.db import Run, db, run_sql
from marketplace.core.errors import NotFound
from marketplace.core.i18n import _l

_FOR_BIDS = "SELECT * FROM lock_lot_for_bids(%s, %s::jsonb)"


def lock_lot(lot_id: int) -> tuple[LotState, datetime]:
    """Wait for the lot, then read its state and the database clock, in this order; ``lot_unknown``."""
    row = db.session.scalar(
        select(LotState).where(LotState.lot_id == lot_id).with_for_update().execution_options(populate_existing=True)
    )
    if row is None:
        raise _unknown()
    return row, now()


class Locked(NamedTuple):
    """What a bid's decision needs, read after the wait: a column of ``lock_lot_for_bids`` each. Of several bids on
    a lot each has its own row; the lot's state in them is the one before the first."""

    now: datetime
    genesis_hash: str
    state: str
    opens_at: datetime
    ends_at: datetime
    scheduled_ends_at: datetime
    price_minor: int | None
    leader_code: str | None
    leader_rank: int | None
    leader_seq: int | None
    seq: int
    bids: int
    extensions: int
    last_hash: str
    last_at: datetime | None
    suspended_at: datetime | None
    version: int
    registration_id: int | None
    code: str
    rank: int | None
    registration_state: str | None
    organisation_state: str | None
    barred: bool
    seller_side: bool
    accepted: dict[str, Any] | None
    refused: dict[str, Any] | None
    signed_in: bool


def lock_lot_for_bids(lot_id: int, asks: list[dict[str, Any]], run: Run = run_sql) -> list[Locked]:
    """The same lock in one round trip, with all that the bids' decisions need: the clock, the lot's state, and for
    each of ``asks`` (``org``, ``key``; ``token`` or ``user`` and ``mark``) the bidder's registration, organisation
    and bars, the answer this key already got, and whether the sign-in still stands."""
    rows = run(_FOR_BIDS, (lot_id, json.dumps(asks)))
    if not rows:
        raise _unknown()
    return list(map(Locked._make, rows))


def _unknown() -> NotFound:
    return NotFound("lot_unknown", _l("没有这个标的"))
