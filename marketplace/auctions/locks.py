"""The lock of a lot (law 4). Bid, extend, close, suspend, resume, withdraw and bar all wait at this one row.

Order over the house: organisation → listing → lot (``lot_state``) → deposit → receivable → ledger account.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Row, select, text

from marketplace.auctions.models import LotState
from marketplace.core.clock import now
from marketplace.core.db import db
from marketplace.core.errors import NotFound
from marketplace.core.i18n import _l

_FOR_BID = text("SELECT * FROM lock_lot_for_bid(:lot_id, :org_id, :key)")


def lock_lot(lot_id: int) -> tuple[LotState, datetime]:
    """Wait for the lot, then read its state and the database clock, in this order; ``lot_unknown``."""
    row = db.session.scalar(
        select(LotState).where(LotState.lot_id == lot_id).with_for_update().execution_options(populate_existing=True)
    )
    if row is None:
        raise _unknown()
    return row, now()


def lock_lot_for_bid(lot_id: int, org_id: int, key: str | None) -> Row[Any]:
    """The same lock in one round trip, with all that a bid's decision needs, read after the wait: the clock,
    the lot's state, the bidder's registration, organisation and bars, and the answer this key already got."""
    row = db.session.execute(_FOR_BID, {"lot_id": lot_id, "org_id": org_id, "key": key}).one_or_none()
    if row is None:
        raise _unknown()
    return row


def _unknown() -> NotFound:
    return NotFound("lot_unknown", _l("没有这个标的"))
