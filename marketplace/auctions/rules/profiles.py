"""Rule profiles as data: what a `Profile` holds, its JSON, and its clock.

A profile is frozen into the lot at publication (as JSON), so a later version never changes a running sale.
The profiles themselves stand in `catalogue.py`, their texts in `texts.py`.
"""

from __future__ import annotations

import types
import typing
from dataclasses import dataclass, fields, is_dataclass
from datetime import timedelta
from typing import Any, Literal

from .findings import Force, Term


@dataclass(frozen=True)
class NoticeBand:
    """Notice period that applies up to (and including) a start price in minor units; ``None`` = any price."""

    upto_minor: int | None
    days: Term


@dataclass(frozen=True)
class IncrementBand:
    """Largest customary increment (basis points of the start price) up to a start price in minor units."""

    upto_minor: int | None
    max_bp: Term


@dataclass(frozen=True)
class Round:
    """One rung of the ladder: first auction, second auction, sell-off."""

    code: str
    name_zh: str
    name_en: str
    format: str
    price_rule: Term
    notice: tuple[NoticeBand, ...]
    min_duration: Term | None
    max_reduction: Term | None
    full_prepayment: Term | None
    within_days_of_failure: Term | None


@dataclass(frozen=True)
class Item:
    """A line of a checklist: stable code, Chinese text, source and force."""

    code: str
    text_zh: str
    source: str
    force: Force


@dataclass(frozen=True)
class StageDocuments:
    """Document types that a stage of the sale calls for (domain vocabulary, Chinese names)."""

    stage: str
    names_zh: tuple[str, ...]


@dataclass(frozen=True)
class Profile:
    """A versioned set of sale rules. Percentages are basis points, money is minor units."""

    code: str
    version: int
    path: str
    name_zh: str
    name_en: str
    sandbox: bool
    clock_rate: int
    clock_floor_seconds: int
    reserve_mode: str
    rounds: tuple[Round, ...]
    start_floor: Term | None
    approval_floor: Term | None
    deposit_min: Term | None
    deposit_max: Term | None
    creditor_waiver: Term
    increment_guideline: tuple[IncrementBand, ...]
    increment_multiple: Term
    extension_window: Term
    extension_length: Term
    extension_cap: Term | None
    priority_right: Term
    jump_factor: Term
    may_not_bid: tuple[Item, ...]
    seller_may_bid: Term
    outage_silence: Term
    outage_extension: Term
    default_order: Term
    default_bars_buyer: Term
    backup_promotion: Term
    backup_deposit_kept: Term
    balance_days: Term
    refund_hours: Term
    parties_notified_days: Term | None
    price_basis_months: Term
    price_basis_grace_months: Term
    internal_valuation_cap: Term
    licence_required: Term
    identity_published: Term
    records_kept_years: Term
    warnings: tuple[Item, ...]
    notice_items: tuple[Item, ...]
    documents: tuple[StageDocuments, ...]

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values (no floats, no tuples), for freezing into a lot and for the exported course."""
        return typing.cast(dict[str, Any], _encode(self))

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Profile:
        """The profile from `to_json` output; raises ValueError on a missing, extra or ill-typed member."""
        return typing.cast(Profile, _decode(cls, data, "profile"))

    def round(self, round_no: int) -> Round | None:
        """The round with that number (1 = first), or None past the ladder's end."""
        return self.rounds[round_no - 1] if 1 <= round_no <= len(self.rounds) else None


def scaled(duration: timedelta, profile: Profile) -> timedelta:
    """`duration` on the profile's clock: itself for real sales, divided by `clock_rate` in a sandbox.

    A sandbox never scales below `clock_floor_seconds`, so that people can still act inside the window
    (5 minutes / 1440 would be a fifth of a second). Whole microseconds, rounded down.
    """
    if profile.clock_rate == 1:
        return duration
    floor = timedelta(seconds=profile.clock_floor_seconds)
    return max(duration // profile.clock_rate, min(duration, floor))


def span(term: Term, profile: Profile) -> timedelta:
    """The scaled duration of a term in seconds, hours or days."""
    units = {
        "seconds": timedelta(seconds=1),
        "hours": timedelta(hours=1),
        "days": timedelta(days=1),
        "workdays": timedelta(days=1),
    }
    return scaled(term.value * units[term.unit], profile)


def _encode(value: Any) -> Any:
    if is_dataclass(value):
        return {f.name: _encode(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, (tuple, list)):
        return [_encode(item) for item in value]
    return value


def _decode(kind: Any, data: Any, where: str) -> Any:
    origin, args = typing.get_origin(kind), typing.get_args(kind)
    if kind is Any:
        return tuple(data) if isinstance(data, list) else data
    if origin is Literal:
        if data not in args:
            raise ValueError(f"{where}: {data!r} is not one of {args}")
        return data
    if origin in (types.UnionType, typing.Union):
        if data is None:
            return None
        return _decode(next(a for a in args if a is not type(None)), data, where)
    if origin is tuple:
        if not isinstance(data, list):
            raise ValueError(f"{where}: a list is expected")
        return tuple(_decode(args[0], item, f"{where}[{n}]") for n, item in enumerate(data))
    if is_dataclass(kind):
        hints = typing.get_type_hints(kind)
        if not isinstance(data, dict) or set(data) != set(hints):
            raise ValueError(f"{where}: members do not match {getattr(kind, '__name__', kind)}")
        build: Any = kind
        return build(**{name: _decode(hint, data[name], f"{where}.{name}") for name, hint in hints.items()})
    if type(data) is not kind:
        raise ValueError(f"{where}: {kind.__name__} is expected")
    return data
