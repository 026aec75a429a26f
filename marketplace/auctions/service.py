"""What other rooms and the edges may ask of auctions (docs/house.md). The acts stand in the modules named here."""

from __future__ import annotations

from marketplace.auctions.batch import place_bid_at_once
from marketplace.auctions.service_after import (
    complete_sale,
    confirm_result,
    decline_award,
    promote_backup,
    request_completion,
    request_default,
    schedule_next_round,
)
from marketplace.auctions.service_bids import BidAnswer, place_bid
from marketplace.auctions.service_close import close_lot
from marketplace.auctions.service_lots import (
    LotPlan,
    open_lot,
    request_withdrawal,
    require_no_bids,
    resume_lot,
    schedule_lot,
    suspend_lot,
    withdraw_lot,
)
from marketplace.auctions.service_registration import bar_bidder, decide_preemption, file_preemption, register

__all__ = [
    "BidAnswer",
    "LotPlan",
    "bar_bidder",
    "close_lot",
    "complete_sale",
    "confirm_result",
    "decide_preemption",
    "decline_award",
    "file_preemption",
    "open_lot",
    "place_bid",
    "place_bid_at_once",
    "promote_backup",
    "register",
    "request_completion",
    "request_default",
    "request_withdrawal",
    "require_no_bids",
    "resume_lot",
    "schedule_lot",
    "schedule_next_round",
    "suspend_lot",
    "withdraw_lot",
]
