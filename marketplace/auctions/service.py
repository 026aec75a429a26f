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
from marketplace.auctions.service_qualification import decide_qualification, file_qualification
from marketplace.auctions.service_registration import (
    bar_bidder,
    decide_preemption,
    file_preemption,
    register,
    request_bar,
)
from marketplace.auctions.service_rounds import RoundTerms, failure_of, no_next_round, schedule_next_round

__all__ = [
    "BidAnswer",
    "LotPlan",
    "RoundTerms",
    "bar_bidder",
    "close_lot",
    "complete_sale",
    "confirm_result",
    "decide_preemption",
    "decide_qualification",
    "decline_award",
    "failure_of",
    "file_preemption",
    "file_qualification",
    "no_next_round",
    "open_lot",
    "place_bid",
    "place_bid_at_once",
    "promote_backup",
    "register",
    "request_bar",
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
