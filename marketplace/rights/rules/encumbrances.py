"""What weighs on a right: pledges, court preservation, licences, each with its dates (domain 2.1-2.5, 4.1).

Dates: the first day counts, `until` is the last day in force, None means no end is known.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from typing import Any

from marketplace.core.calendar import add_months
from marketplace.rights.rules.kinds import KINDS, Kind

REFUSALS: dict[str, str] = {
    "preservation.too_long": "对此类权利的每次保全不超过 %(months)s 个月，最晚到 %(latest)s",
    "preservation.ends_before_start": "保全到期日不应早于开始日",
    "preservation.lapsed": "原保全已于 %(until)s 到期，续行保全应在到期前办理",
}

RECORDAL_MONTHS = 3


class EncumbranceRefused(ValueError):
    """Dates that the law does not allow; `code` of REFUSALS, `params` for its template."""

    def __init__(self, code: str, **params: Any) -> None:
        self.code, self.params = code, params
        self.template = REFUSALS[code]
        super().__init__(self.template % params)


class LicenceType(StrEnum):
    """Licence types (技术合同解释 art. 25); an open licence is an ordinary one offered to all."""

    EXCLUSIVE = "exclusive"  # 独占: not even the licensor
    SOLE = "sole"  # 排他: the licensor and one licensee
    ORDINARY = "ordinary"  # 普通
    OPEN = "open"  # 开放


@dataclass(frozen=True, slots=True)
class Pledge:
    """A pledge: it arises on registration and ends on the day it is cancelled (专利权质押登记办法 art. 18).

    `pledgee`: an id or name that consents are matched with. `number`: the registration number, as written.
    """

    pledgee: str
    registered_on: date | None = None
    released_on: date | None = None
    number: str = ""

    def active_on(self, day: date) -> bool:
        """Registered by `day` and not cancelled by then."""
        if self.registered_on is None or day < self.registered_on:
            return False
        return self.released_on is None or day < self.released_on


@dataclass(frozen=True, slots=True)
class Preservation:
    """A court's preservation (财产保全), in force from receipt by the register to `until`, its last day."""

    court: str
    case_no: str
    starts_on: date
    until: date | None
    released_on: date | None = None

    def active_on(self, day: date) -> bool:
        """Begun by `day`, not yet lapsed, not released."""
        if day < self.starts_on or (self.released_on and day >= self.released_on):
            return False
        return self.until is None or day <= self.until


@dataclass(frozen=True, slots=True)
class Licence:
    """A licence that was granted; it survives a transfer of the right (技术合同解释 art. 24)."""

    licensee: str
    type: LicenceType
    starts_on: date
    until: date | None = None
    recorded_on: date | None = None
    ended_on: date | None = None

    def active_on(self, day: date) -> bool:
        """Begun by `day`, not expired, not ended early."""
        if day < self.starts_on or (self.ended_on and day >= self.ended_on):
            return False
        return self.until is None or day <= self.until


Encumbrance = Pledge | Preservation | Licence


def active_on(encumbrances: list[Encumbrance], day: date) -> list[Encumbrance]:
    """Those in force on `day`, in the order given."""
    return [item for item in encumbrances if item.active_on(day)]


def preservation_months(kind: Kind | str) -> int | None:
    """Longest single preservation in months: 6 for patents (专利纠纷规定 art. 13), 12 for marks.

    None where no limit is known (商标保全解释 arts. 2-3 covers marks; other rights have no figure).
    """
    info = KINDS[Kind(kind)]
    if info.is_patent or info.code == Kind.PATENT_APPLICATION:
        return 6
    return 12 if info.is_mark else None


def latest_preservation_end(kind: Kind | str, starts_on: date) -> date | None:
    """The latest last day of a preservation that begins on `starts_on`; None where no limit is known."""
    months = preservation_months(kind)
    return None if months is None else add_months(starts_on, months)


def check_preservation(kind: Kind | str, preservation: Preservation) -> Preservation:
    """The same with its end filled in where the law limits it.

    Refuses preservation.too_long and preservation.ends_before_start.
    """
    latest = latest_preservation_end(kind, preservation.starts_on)
    if preservation.until is None:
        return replace(preservation, until=latest)
    if preservation.until < preservation.starts_on:
        raise EncumbranceRefused("preservation.ends_before_start")
    if latest and preservation.until > latest:
        raise EncumbranceRefused("preservation.too_long", months=preservation_months(kind), latest=latest.isoformat())
    return preservation


def renew_preservation(
    kind: Kind | str, preservation: Preservation, received_on: date, until: date | None = None
) -> Preservation:
    """The preservation renewed by an order received on `received_on`, before it lapsed.

    Each renewal is again limited (domain 2.4) and is counted here from its receipt. Refuses
    preservation.lapsed, preservation.too_long, preservation.ends_before_start.
    """
    if not preservation.active_on(received_on):
        ended = preservation.released_on or preservation.until or preservation.starts_on
        raise EncumbranceRefused("preservation.lapsed", until=ended.isoformat())
    renewed = check_preservation(kind, replace(preservation, starts_on=received_on, until=until))
    return replace(renewed, starts_on=preservation.starts_on)


def recordal_deadline(effective_on: date) -> date:
    """Last day to record a licence: 3 months from the day its contract takes effect (domain 1.14)."""
    return add_months(effective_on, RECORDAL_MONTHS)


class RecordalState(StrEnum):
    """Recordal of a licence contract."""

    RECORDED = "recorded"
    RECORDED_LATE = "recorded_late"
    PENDING = "pending"
    OVERDUE = "overdue"


def recordal_state(licence: Licence, today: date) -> RecordalState:
    """Where the recordal of a licence stands on `today`; its contract takes effect on `starts_on`."""
    deadline = recordal_deadline(licence.starts_on)
    if licence.recorded_on:
        return RecordalState.RECORDED if licence.recorded_on <= deadline else RecordalState.RECORDED_LATE
    return RecordalState.PENDING if today <= deadline else RecordalState.OVERDUE
