"""What money pages say about a lot. Money stands below auctions, so auctions tells it here:

lots.describe_with(lambda lot_ids: {7: LotFacts("一种发明专利", "/lots/7", seller_org_id=3)})
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from marketplace.core.i18n import _


@dataclass(frozen=True)
class LotFacts:
    title: str
    href: str
    seller_org_id: int | None = None


Describe = Callable[[list[int]], Mapping[int, LotFacts]]
SoldBy = Callable[[int], list[int]]
_describe: list[Describe] = []
_sold_by: list[SoldBy] = []


def describe_with(describe: Describe, sold_by: SoldBy | None = None) -> None:
    """Register who knows the lots (and, with ``sold_by``, the ids of an organisation's own lots)."""
    _describe[:] = [describe]
    _sold_by[:] = [sold_by] if sold_by is not None else []


def facts_of(lot_ids: Iterable[int | None]) -> dict[int, LotFacts]:
    """Title and page of each lot; a number and its public page where nobody told more."""
    wanted = sorted({lot_id for lot_id in lot_ids if lot_id is not None})
    known = dict(_describe[0](wanted)) if _describe and wanted else {}
    plain = {lot_id: LotFacts(_("标的 %(id)s", id=lot_id), f"/lots/{lot_id}") for lot_id in wanted}
    return plain | known


def sold_by(org_id: int) -> list[int]:
    """Ids of the lots an organisation sells."""
    return _sold_by[0](org_id) if _sold_by else []
