"""What a reader looks for, as it stands in the address. Whatever the address says, a page answers."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from datetime import date, datetime, time, timedelta
from typing import Any, Protocol
from urllib.parse import urlencode

from marketplace.core.clock import SHANGHAI
from marketplace.core.money import MoneyRefused, parse_minor
from marketplace.discovery import bands, prefixes, trees
from marketplace.discovery.documents import LICENCES
from marketplace.listings.filters import CHANNELS, KIND_CODES, STATES
from search.query import LONGEST_TEXT, Query, Sort

PAGE = 20
MOST_VALUES = 20  # of one filter
LONGEST_CURSOR = 2_000
SORTS: tuple[Sort, ...] = ("relevance", "newest", "closing", "price_up", "price_down")
OLD_SORTS = {"new": "newest", "ending": "closing"}
_OFFER = re.compile(r"ZL[\s-]?20\d\d[\s-]?\d{6}", re.IGNORECASE | re.ASCII)
#: Fields of the address that choose among values → fields of the index. The order is that of the page.
CHOICES = {
    "state": "status",
    "kind": "kind",
    "channel": "channel",
    "region": "region",
    "ipc": "ipc",
    "industry": "industry",
    "price": "price_band",
    "closing": "closing_band",
    "term": "term_band",
    "licence": "licence",
    "bank": "bank",
}
KNOWN: dict[str, tuple[str, ...]] = {
    "kind": KIND_CODES,
    "channel": CHANNELS,
    "state": STATES,
    "licence": LICENCES,
    "price": tuple(code for code, _low in bands.PRICES),
    "term": tuple(code for code, _years in bands.TERMS),
    "closing": tuple(str(days) for days in bands.CLOSINGS),
}


class Args(Protocol):
    """A query string: each name may have several values."""

    def get(self, name: str, /) -> Any: ...

    def getlist(self, name: str, /) -> list[str]: ...


@dataclass(frozen=True)
class Wanted:
    """``low``, ``high`` amounts as typed, ``until`` a day up to which the sale ends. ``faults`` names what could not
    be read and is ignored."""

    q: str = ""
    state: tuple[str, ...] = ()
    kind: tuple[str, ...] = ()
    channel: tuple[str, ...] = ()
    region: tuple[str, ...] = ()
    ipc: tuple[str, ...] = ()
    industry: tuple[str, ...] = ()
    price: tuple[str, ...] = ()
    closing: tuple[str, ...] = ()
    term: tuple[str, ...] = ()
    licence: tuple[str, ...] = ()
    bank: tuple[str, ...] = ()
    low: str = ""
    high: str = ""
    until: str = ""
    sort: str = ""
    cursor: str = ""
    faults: tuple[str, ...] = ()

    @property
    def order(self) -> Sort:
        """The order chosen, or what fits: the best first for words, else the newest."""
        chosen = self.sort or ("relevance" if self.q else "newest")
        return next(name for name in SORTS if name == chosen)

    @property
    def narrowed(self) -> bool:
        return any(getattr(self, name) for name in (*CHOICES, "low", "high", "until"))

    @property
    def empty(self) -> bool:
        """Nothing is asked: the page shows all."""
        return not (self.q or self.narrowed or self.cursor)

    def pairs(self, **changes: Any) -> list[tuple[str, str]]:
        """The address as (name, value); a change goes back to the first page unless it names the cursor."""
        changed = replace(self, **({"cursor": ""} | changes))
        found: list[tuple[str, str]] = []
        for item in fields(changed):
            value = getattr(changed, item.name)
            if item.name == "faults" or not value:
                continue
            found += [(item.name, one) for one in ((value,) if isinstance(value, str) else value)]
        return found

    def query(self, **changes: Any) -> str:
        return urlencode(self.pairs(**changes))

    def with_value(self, name: str, value: str) -> str:
        """The address with this value too; in a tree instead of the others."""
        kept = () if name in trees.SCHEMES or name == "closing" else getattr(self, name)
        return self.query(**{name: (*kept, value)})

    def without(self, name: str, value: str = "") -> str:
        """The address without this value (or without this field)."""
        now: Any = getattr(self, name)
        if isinstance(now, str):
            return self.query(**{name: ""})
        return self.query(**{name: tuple(one for one in now if one != value) if value else ()})

    def cleared(self) -> str:
        """Only the words stay."""
        return urlencode([("q", self.q)] if self.q else [])


def read(args: Args) -> Wanted:
    """What the address asks; never raises. Old addresses (``sort=new``, ``closing=2026-12-01``) still mean the same."""
    faults: list[str] = []

    def text(name: str, limit: int) -> str:
        return "".join(c if c.isprintable() else " " for c in args.get(name) or "").strip()[:limit]

    def many(name: str) -> tuple[str, ...]:
        found = []
        for value in args.getlist(name)[:MOST_VALUES]:
            wanted = _known(name, value.strip()[:40])
            if wanted:
                found.append(wanted)
            elif value.strip():
                faults.append(name)
        return tuple(dict.fromkeys(found))

    def amount(name: str) -> str:
        value = text(name, 40)
        if value and minor(value) is None:
            faults.append(name)
            return ""
        return value

    until = text("until", 10)
    if not until and day(text("closing", 10)):
        until = text("closing", 10)
    if until and day(until) is None:
        faults.append("until")
        until = ""
    sort = text("sort", 20)
    sort = OLD_SORTS.get(sort, sort)
    if sort and sort not in SORTS:
        faults.append("sort")
        sort = ""
    chosen: dict[str, Any] = {name: many(name) for name in CHOICES}
    if until and "closing" in faults:
        faults.remove("closing")
    return Wanted(
        # one character more than is read, so that the answer can say that it was cut
        q=text("q", LONGEST_TEXT + 1),
        low=amount("low"),
        high=amount("high"),
        until=until,
        sort=sort,
        cursor=text("cursor", LONGEST_CURSOR),
        faults=tuple(dict.fromkeys(faults)),
        **chosen,
    )


def _known(name: str, value: str) -> str:
    """The value as the index has it; empty for one that cannot be."""
    if name in trees.SCHEMES:
        steps = trees.path(name, value)
        return steps[-1] if steps else ""
    if name == "bank":
        return value if value.isascii() and value.isdigit() and len(value) <= 18 else ""
    return value if value in KNOWN[name] else ""


def minor(value: str) -> int | None:
    """An amount of money as typed, in minor units; none where it is no amount or larger than any."""
    try:
        found = parse_minor(value)
    except MoneyRefused:
        return None
    return found if 0 <= found < 2**53 else None


def day(value: str) -> date | None:
    if len(value) != 10 or not value.isascii():
        return None
    try:
        found = date.fromisoformat(value)
    except ValueError:
        return None
    return found if 1970 <= found.year < 9000 else None


def as_asked(text: str) -> str:
    """The words for the engine: the number of an offer alone asks for that offer (``zl2026 000123`` as well)."""
    return f"号:{found[0]}" if (found := _OFFER.fullmatch(text.strip())) else text


def question(wanted: Wanted, synonyms: Iterable[tuple[str, ...]] = (), facets: Iterable[str] = ()) -> Query:
    """The same in the words of the engines."""
    filters = {field: getattr(wanted, name) for name, field in CHOICES.items() if getattr(wanted, name)}
    ranges: dict[str, tuple[int | None, int | None]] = {}
    low, high = (minor(value) if value else None for value in (wanted.low, wanted.high))
    if low is not None or high is not None:
        ranges["price_minor"] = (low, high)
        filters["currency"] = ("CNY",)
    if wanted.until and (last := day(wanted.until)):
        midnight = datetime.combine(last, time(), SHANGHAI) + timedelta(days=1)
        ranges["closes_at"] = (None, int(midnight.timestamp()) - 1)
    return Query(
        text=as_asked(wanted.q),
        filters=filters,
        ranges=ranges,
        sort=wanted.order,
        size=PAGE,
        cursor=wanted.cursor,
        facets=tuple(facets),
        opened={scheme: trees.opened(scheme, getattr(wanted, scheme)) for scheme in trees.SCHEMES},
        synonyms=tuple(synonyms),
        names=prefixes.names(),
    )
