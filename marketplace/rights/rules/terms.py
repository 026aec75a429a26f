"""Legal terms: from when to when a right is in force, with the article that says so (domain 2.6).

`end` is the last day in force. A term of whole years counted from a day ends on the eve of that day's
anniversary (a patent filed on 2020-03-27 is in force until 2040-03-26); copyright runs to 31 December.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from marketplace.core.calendar import add_months, add_years
from marketplace.rights.rules.kinds import KINDS, Kind

#: Designs filed from this day on last 15 years, earlier ones 10 (专利法 art. 42).
DESIGN_FIFTEEN_YEARS_FROM = date(2021, 6, 1)

REFUSALS: dict[str, str] = {
    "term.date_missing": "缺少计算保护期所需的日期：%(fields)s",
    "term.dates_out_of_order": "%(later)s不应早于%(earlier)s",
}
FIELD_NAMES: dict[str, str] = {
    "filing_date": "申请日",
    "grant_date": "授权日",
    "registration_date": "注册（登记）日",
    "first_publication": "首次发表日",
    "completion_date": "完成日",
    "author_death": "作者死亡日",
    "first_commercial_use": "首次商业利用日",
}


class TermRefused(ValueError):
    """No term can be computed; `code` of REFUSALS, `params`; `at` names the dates at fault."""

    def __init__(self, code: str, at: tuple[str, ...], **params: Any) -> None:
        self.code, self.at, self.params = code, at, params
        self.template = REFUSALS[code]
        super().__init__(self.template % params)


@dataclass(frozen=True, slots=True)
class Remaining:
    """What is left of a term: legal years, months and days, and the same as `total_days`."""

    years: int
    months: int
    days: int
    total_days: int


@dataclass(frozen=True, slots=True)
class Term:
    """A right's term: `start` and `end`, both in force; `end` None where the law sets none (yet).

    `basis` is Chinese text with its source; `confirmed` False where the rule itself is not (show a caution).
    """

    start: date | None
    end: date | None
    basis: str
    confirmed: bool = True

    def in_force_on(self, day: date) -> bool:
        """Whether `day` lies inside the term."""
        return (self.start is None or self.start <= day) and not self.expired_on(day)

    def expired_on(self, day: date) -> bool:
        """Whether the term was over before `day` began."""
        return self.end is not None and day > self.end

    def remaining(self, day: date) -> Remaining | None:
        """What is left from `day` on, `day` and the last day both counted; None for a term without end."""
        if self.end is None:
            return None
        stop = self.end + timedelta(days=1)
        if stop <= day:
            return Remaining(0, 0, 0, 0)
        months = (stop.year - day.year) * 12 + stop.month - day.month
        if add_months(day, months) > stop:
            months -= 1
        days = (stop - add_months(day, months)).days
        return Remaining(months // 12, months % 12, days, (stop - day).days)


@dataclass(frozen=True, slots=True)
class PlantTermRow:
    """Plant variety term for grants from `granted_from` on (None: always): woody plants, and others."""

    granted_from: date | None
    woody_years: int
    other_years: int
    basis: str
    confirmed: bool


#: Newest first. The 2025 revision is not confirmed, so its terms carry a caution.
PLANT_TERMS: tuple[PlantTermRow, ...] = (
    PlantTermRow(date(2025, 6, 1), 25, 20, "植物新品种保护条例（2025 修订，未经核实）", False),
    PlantTermRow(None, 20, 15, "植物新品种保护条例（2014）", True),
)
#: Usual validity of a data certificate in years; not confirmed, set by the registry.
DATA_CERTIFICATE_YEARS = 3


@dataclass(frozen=True, slots=True)
class TermFacts:
    """The dates and traits a term is computed from; each kind needs its own few."""

    filing_date: date | None = None
    grant_date: date | None = None
    registration_date: date | None = None
    first_publication: date | None = None
    completion_date: date | None = None
    author_death: date | None = None
    first_commercial_use: date | None = None
    natural_person: bool = False
    woody: bool = False
    renewals: int = 0
    compensated_until: date | None = None


def legal_term(
    kind: Kind | str,
    *,
    filing_date: date | None = None,
    grant_date: date | None = None,
    registration_date: date | None = None,
    first_publication: date | None = None,
    completion_date: date | None = None,
    author_death: date | None = None,
    first_commercial_use: date | None = None,
    natural_person: bool = False,
    woody: bool = False,
    renewals: int = 0,
    compensated_until: date | None = None,
    plant_terms: tuple[PlantTermRow, ...] = PLANT_TERMS,
    data_years: int = DATA_CERTIFICATE_YEARS,
) -> Term:
    """The legal term of a right.

    `renewals`: trademark renewals already granted, 10 years each. `compensated_until`: last day of a patent
    term that the office has extended (专利法 art. 42), as registered. `natural_person`: the copyright owner's
    term follows the author's life. `woody`: trees and vines among plant varieties.
    Refuses (TermRefused) term.date_missing and term.dates_out_of_order.
    """
    kind = Kind(kind)
    facts = TermFacts(
        filing_date,
        grant_date,
        registration_date,
        first_publication,
        completion_date,
        author_death,
        first_commercial_use,
        natural_person,
        woody,
        renewals,
        compensated_until,
    )
    _in_order(facts, "filing_date", "grant_date")
    _in_order(facts, "completion_date", "first_publication")
    if kind == Kind.PLANT_VARIETY:
        return _plant(facts, plant_terms)
    if kind == Kind.DATA_RIGHT:
        start = _need(facts, "registration_date")
        return Term(start, _eve(add_years(start, data_years)), "数据登记证书所载有效期（通常 3 年，可续期）", False)
    return _RULES[kind](facts, kind)


@dataclass(frozen=True, slots=True)
class RenewalWindow:
    """A mark's renewal: from `opens` to `closes` (last day of the term), then grace until `grace_end`."""

    opens: date
    closes: date
    grace_end: date
    source: str = "商标法 art. 40"


def renewal_window(term: Term) -> RenewalWindow:
    """Renewal in the last 12 months of a mark's term, or in the 6 months after it (商标法 art. 40)."""
    if term.end is None:
        raise ValueError("a term without an end is not renewed")
    return RenewalWindow(add_months(term.end + timedelta(days=1), -12), term.end, add_months(term.end, 6))


def _need(facts: TermFacts, *names: str) -> date:
    """The first of these dates that is known."""
    for name in names:
        value = getattr(facts, name)
        if value is not None:
            return value
    fields = "、".join(FIELD_NAMES[name] for name in names)
    raise TermRefused("term.date_missing", names, fields=fields)


def _in_order(facts: TermFacts, earlier: str, later: str) -> None:
    first, second = getattr(facts, earlier), getattr(facts, later)
    if first and second and second < first:
        names = {"earlier": FIELD_NAMES[earlier], "later": FIELD_NAMES[later]}
        raise TermRefused("term.dates_out_of_order", (earlier, later), **names)


def _eve(day: date) -> date:
    return day - timedelta(days=1)


def _year_end(day: date, years: int) -> date:
    return date(day.year + years, 12, 31)


def _patent(facts: TermFacts, kind: Kind) -> Term:
    filed = _need(facts, "filing_date")
    years, basis = {
        Kind.INVENTION_PATENT: (20, "发明专利权期限 20 年，自申请日起（专利法第 42 条）"),
        Kind.UTILITY_MODEL: (10, "实用新型专利权期限 10 年，自申请日起（专利法第 42 条）"),
        Kind.DESIGN_PATENT: (15, "外观设计专利权期限 15 年，自申请日起（专利法第 42 条）"),
    }[kind]
    if kind == Kind.DESIGN_PATENT and filed < DESIGN_FIFTEEN_YEARS_FROM:
        years, basis = 10, "2021 年 6 月 1 日前申请的外观设计，期限 10 年，自申请日起（专利法第 42 条）"
    end = _eve(add_years(filed, years))
    if facts.compensated_until and facts.compensated_until > end:
        end, basis = facts.compensated_until, basis + "，含登记的期限补偿"
    # protection begins with the grant, its length counts from the filing
    return Term(facts.grant_date or filed, end, basis)


def _application(facts: TermFacts, kind: Kind) -> Term:
    return Term(facts.filing_date, None, "专利申请权：授权前没有专利权期限")


def _mark(facts: TermFacts, kind: Kind) -> Term:
    start = _need(facts, "registration_date")
    end = _eve(add_years(start, 10 * (1 + facts.renewals)))
    return Term(start, end, "注册商标有效期 10 年，自核准注册日起，每次续展 10 年（商标法第 39、40 条）")


def _geographical(facts: TermFacts, kind: Kind) -> Term:
    if facts.registration_date is None:
        return Term(None, None, "地理标志的保护期未经核实", False)
    term = _mark(facts, kind)
    return replace(term, basis="按商标注册的地理标志：" + term.basis, confirmed=False)


def _copyright(facts: TermFacts, kind: Kind) -> Term:
    person, entity = {
        Kind.SOFTWARE_COPYRIGHT: ("自然人终生及死亡后 50 年（软件条例第 14 条）", "软件条例第 14 条"),
    }.get(kind, ("自然人终生及死亡后 50 年（著作权法第 23 条）", "著作权法第 23 条"))
    start = facts.completion_date or facts.first_publication
    if facts.natural_person or facts.author_death:
        end = _year_end(facts.author_death, 50) if facts.author_death else None
        return Term(start, end, person)
    _need(facts, "first_publication", "completion_date")
    published, completed = facts.first_publication, facts.completion_date
    unpublished_end = _year_end(completed, 50) if completed else None
    # unpublished through its 50 years, a work is no longer protected: a later publication revives nothing
    if published and (unpublished_end is None or published <= unpublished_end):
        return Term(start, _year_end(published, 50), f"首次发表后 50 年，至 12 月 31 日（{entity}）")
    return Term(start, unpublished_end, f"未发表，自完成起 50 年，至 12 月 31 日（{entity}）")


def _layout(facts: TermFacts, kind: Kind) -> Term:
    known = [day for day in (facts.filing_date, facts.first_commercial_use) if day]
    start = min(known) if known else _need(facts, "filing_date", "first_commercial_use")
    ends = [_eve(add_years(start, 10))]
    if facts.completion_date:
        ends.append(_eve(add_years(facts.completion_date, 15)))
    basis = "自申请日或首次商业利用日（较前者）起 10 年，不超过创作完成后 15 年（布图设计条例第 12 条）"
    return Term(start, min(ends), basis)


def _plant(facts: TermFacts, table: tuple[PlantTermRow, ...]) -> Term:
    start = _need(facts, "grant_date", "registration_date")
    row = next(row for row in table if row.granted_from is None or start >= row.granted_from)
    years = row.woody_years if facts.woody else row.other_years
    what = "藤本、木本植物" if facts.woody else "其他植物"
    return Term(start, _eve(add_years(start, years)), f"{what} {years} 年，自授权日起（{row.basis}）", row.confirmed)


def _secret(facts: TermFacts, kind: Kind) -> Term:
    return Term(facts.completion_date, None, "商业秘密没有法定期限，以保密状态为限")


_RULES: dict[Kind, Callable[[TermFacts, Kind], Term]] = {
    Kind.INVENTION_PATENT: _patent,
    Kind.UTILITY_MODEL: _patent,
    Kind.DESIGN_PATENT: _patent,
    Kind.PATENT_APPLICATION: _application,
    Kind.TRADEMARK: _mark,
    Kind.COLLECTIVE_MARK: _mark,
    Kind.CERTIFICATION_MARK: _mark,
    Kind.GEOGRAPHICAL_INDICATION: _geographical,
    Kind.COPYRIGHT_WORK: _copyright,
    Kind.SOFTWARE_COPYRIGHT: _copyright,
    Kind.IC_LAYOUT: _layout,
    Kind.TRADE_SECRET: _secret,
}


def needed_dates(kind: Kind | str) -> tuple[str, ...]:
    """Names of the dates a form should ask for, most important first; empty where none is needed."""
    kind = Kind(kind)
    if KINDS[kind].is_patent:
        return ("filing_date", "grant_date")
    if KINDS[kind].is_mark or kind in (Kind.DATA_RIGHT, Kind.GEOGRAPHICAL_INDICATION):
        return ("registration_date",)
    return {
        Kind.PATENT_APPLICATION: ("filing_date",),
        Kind.COPYRIGHT_WORK: ("first_publication", "completion_date", "author_death"),
        Kind.SOFTWARE_COPYRIGHT: ("first_publication", "completion_date", "author_death"),
        Kind.IC_LAYOUT: ("filing_date", "first_commercial_use", "completion_date"),
        Kind.PLANT_VARIETY: ("grant_date",),
    }.get(kind, ())
