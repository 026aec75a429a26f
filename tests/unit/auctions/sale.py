"""A small sale to decide on: builders shared by the tests of the auction rules."""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from marketplace.auctions.rules import closing, course, english
from marketplace.auctions.rules.catalogue import JUDICIAL_ONLINE
from marketplace.auctions.rules.chain import genesis
from marketplace.auctions.rules.profiles import Profile
from marketplace.auctions.rules.state import Accepted, BidIntent, Entry, LotState, Refused

OPENS = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
ENDS = datetime(2026, 3, 3, 2, 0, tzinfo=UTC)
TOOL = Path(__file__).parents[3] / "tools" / "verify_sale.py"

_spec = importlib.util.spec_from_file_location("verify_sale", TOOL)
assert _spec and _spec.loader
verify_sale: Any = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(verify_sale)


def facts(profile: Profile = JUDICIAL_ONLINE, **changes: Any) -> dict[str, Any]:
    values: dict[str, Any] = {
        "lot_code": "ZL-2026-0001",
        "round_no": 1,
        "title": "一种发明专利",
        "format": "english_priority",
        "currency": "CNY",
        "start_minor": 100_000,
        "increment_minor": 1_000,
        "deposit_minor": 10_000,
        "published_at": datetime(2026, 1, 20, 4, 0, tzinfo=UTC),
        "opens_at": OPENS,
        "ends_at": ENDS,
    }
    return course.lot_facts(profile, **{**values, **changes})


def fresh(lot: dict[str, Any] | None = None, **changes: Any) -> LotState:
    lot = lot or facts()
    state = LotState(
        lot_code=lot["lot_code"],
        round_no=lot["round_no"],
        state="scheduled",
        start_minor=lot["start_minor"],
        increment_minor=lot["increment_minor"],
        opens_at=lot["opens_at"],
        ends_at=lot["ends_at"],
        scheduled_ends_at=lot["ends_at"],
        last_hash=genesis(lot),
    )
    return replace(state, **changes)


class Sale:
    """A lot with its profile and the course so far."""

    def __init__(self, profile: Profile = JUDICIAL_ONLINE, **changes: Any) -> None:
        self.profile = profile
        self.lot = facts(profile, **changes)
        self.state = fresh(self.lot)
        self.entries: list[Entry] = []

    def take(self, answer: Accepted | Refused | closing.Outcome | closing.NotYet) -> Any:
        if isinstance(answer, Accepted | closing.Outcome):
            self.state = answer.state
            self.entries.append(answer.record)
        return answer

    def bid(
        self,
        code: str,
        amount: int,
        at: datetime = OPENS + timedelta(hours=1),
        rank: int | None = None,
        **more: Any,
    ) -> Accepted | Refused:
        kind = more.pop("kind", "priority" if rank else "ordinary")
        intent = BidIntent(code, amount, kind, rank, **more)
        return self.take(english.decide(self.state, intent, at, self.profile))

    def bids(self) -> list[closing.Standing]:
        return [closing.standing_of(entry) for entry in self.entries if entry.kind == "bid"]

    def close(self, at: datetime | None = None) -> Any:
        return self.take(closing.decide_close(self.state, self.bids(), at or self.state.ends_at))

    def document(self, protocol_sha256: str | None = None) -> dict[str, Any]:
        rows = [entry.as_dict() for entry in self.entries]
        ended = self.state.state in ("closed", "withdrawn")
        return course.course_document(self.lot, rows, course.result_of(rows, protocol_sha256) if ended else None)

    def file(self) -> bytes:
        return course.course_bytes(self.document())


def refusal(answer: object) -> str:
    assert isinstance(answer, Refused), answer
    return answer.code
