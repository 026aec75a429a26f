"""Yearly patent fees: what falls due when, what a late payer pays, when the right is gone (domain 2.7).

Amounts are minor units (fen). The fee of patent year n is due on the filing anniversary that ends year n-1
(细则 art. 115); the tables are data, so that a new tariff is a new row.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from marketplace.core.calendar import add_months, add_years
from marketplace.rights.rules.kinds import Kind
from marketplace.rights.rules.terms import DESIGN_FIFTEEN_YEARS_FROM

GRACE_MONTHS = 6
#: A request to restore a lapsed right is made within this many months of the office's notice (细则 art. 6).
RESTORATION_MONTHS = 2
RESTORATION_FEE_MINOR = 100_000


@dataclass(frozen=True, slots=True)
class FeeBand:
    """Patent years `first` to `last` cost `yearly_minor` each (fen)."""

    first: int
    last: int
    yearly_minor: int


#: Official yearly fees in fen (scjgj.panzhihua.gov.cn).
FEE_TABLES: Mapping[Kind, tuple[FeeBand, ...]] = {
    Kind.INVENTION_PATENT: (
        FeeBand(1, 3, 900_00),
        FeeBand(4, 6, 1200_00),
        FeeBand(7, 9, 2000_00),
        FeeBand(10, 12, 4000_00),
        FeeBand(13, 15, 6000_00),
        FeeBand(16, 20, 8000_00),
    ),
    Kind.UTILITY_MODEL: (
        FeeBand(1, 3, 600_00),
        FeeBand(4, 5, 900_00),
        FeeBand(6, 8, 1200_00),
        FeeBand(9, 10, 2000_00),
    ),
    Kind.DESIGN_PATENT: (
        FeeBand(1, 3, 600_00),
        FeeBand(4, 5, 900_00),
        FeeBand(6, 8, 1200_00),
        FeeBand(9, 10, 2000_00),
        FeeBand(11, 15, 3000_00),
    ),
}

#: Percent of the full fee, by overdue month 1..6: the practice of the office, and 细则 art. 115 read
#: strictly. Which one the office applies is not confirmed, so the table is a setting.
SURCHARGE_PRACTICE: tuple[int, ...] = (0, 5, 10, 15, 20, 25)
SURCHARGE_STRICT: tuple[int, ...] = (5, 10, 15, 20, 25, 30)


@dataclass(frozen=True, slots=True)
class Reduction:
    """Part of the fee that is waived: `percent_off` for `years` fees from the grant year on (None: all).

    `only_years`: just these patent years (an open licence period). Surcharge is never reduced.
    """

    code: str
    percent_off: int
    years: int | None = 10
    only_years: frozenset[int] | None = None
    confirmed: bool = True


#: 85 % for one applicant, 70 % for joint ones; "first ten years from grant" is practice, not confirmed.
SINGLE_APPLICANT = Reduction("single_applicant", 85, confirmed=False)
JOINT_APPLICANTS = Reduction("joint_applicants", 70, confirmed=False)


@dataclass(frozen=True, slots=True)
class Annuity:
    """The fee of one patent year.

    `due` is the last day without delay, `grace_end` the last one on which it can still be paid.
    `amount_minor` is what is owed after reduction, `full_minor` the tariff, on which surcharge is counted.
    The fee of the grant year is paid with the grant and has no grace (`with_grant`).
    """

    year: int
    due: date
    amount_minor: int
    grace_end: date
    full_minor: int
    with_grant: bool = False


class PaymentState(StrEnum):
    """How a payment on a given day stands to its due date."""

    ON_TIME = "on_time"
    GRACE = "grace"
    LAPSED = "lapsed"


@dataclass(frozen=True, slots=True)
class AmountDue:
    """What is owed when paying on a day: fee and surcharge in fen; nothing can be paid once lapsed."""

    state: PaymentState
    fee_minor: int
    surcharge_minor: int
    overdue_month: int
    surcharge_percent: int

    @property
    def total_minor(self) -> int:
        """Fee and surcharge together, in fen."""
        return self.fee_minor + self.surcharge_minor


def term_years(kind: Kind | str, filing_date: date) -> int:
    """Number of patent years: 20, 10, or 15 (10 for designs filed before 2021-06-01)."""
    kind = Kind(kind)
    years = FEE_TABLES[kind][-1].last
    if kind == Kind.DESIGN_PATENT and filing_date < DESIGN_FIFTEEN_YEARS_FROM:
        return 10
    return years


def patent_year(filing_date: date, day: date) -> int:
    """The patent year (from 1) in which `day` lies; year n+1 begins on the n-th filing anniversary."""
    year = day.year - filing_date.year
    return year + (0 if day < add_years(filing_date, year) else 1)


def full_fee(kind: Kind | str, year: int) -> int:
    """Tariff of a patent year in fen; KeyError for a kind without fees, ValueError for a year outside it."""
    for band in FEE_TABLES[Kind(kind)]:
        if band.first <= year <= band.last:
            return band.yearly_minor
    raise ValueError(f"no fee for patent year {year}")


def schedule(
    kind: Kind | str,
    filing_date: date,
    grant_date: date | None = None,
    until: date | None = None,
    reduction: Reduction | None = None,
) -> list[Annuity]:
    """Every fee from the grant year on, in order; only those due by `until` when it is given.

    Without `grant_date` the whole tariff from year 1. Kinds without yearly fees have an empty schedule.
    ValueError when the grant is before the filing.
    """
    kind = Kind(kind)
    if kind not in FEE_TABLES:
        return []
    if grant_date and grant_date < filing_date:
        raise ValueError("granted before filed")
    first = patent_year(filing_date, grant_date) if grant_date else 1
    rows = []
    for year in range(first, term_years(kind, filing_date) + 1):
        with_grant = year == first
        due = (grant_date or filing_date) if with_grant else add_years(filing_date, year - 1)
        if until and due > until:
            break
        full = full_fee(kind, year)
        amount = _reduced(full, year, first, reduction)
        grace_end = due if with_grant else add_months(due, GRACE_MONTHS)
        rows.append(Annuity(year, due, amount, grace_end, full, with_grant))
    return rows


def overdue_month(annuity: Annuity, paid_on: date) -> int:
    """0 when on time, else the overdue month 1, 2, ... in which `paid_on` lies, counted from the due date."""
    if paid_on <= annuity.due:
        return 0
    months = (paid_on.year - annuity.due.year) * 12 + paid_on.month - annuity.due.month
    return months if paid_on <= add_months(annuity.due, months) else months + 1


def amount_due(annuity: Annuity, paid_on: date, surcharge_table: tuple[int, ...] = SURCHARGE_PRACTICE) -> AmountDue:
    """What must be paid on `paid_on`: the (reduced) fee, and surcharge on the full fee (细则 art. 115).

    After the grace period nothing can be paid any more: state LAPSED, amounts 0.
    """
    month = overdue_month(annuity, paid_on)
    if month == 0:
        return AmountDue(PaymentState.ON_TIME, annuity.amount_minor, 0, 0, 0)
    if paid_on > annuity.grace_end:
        return AmountDue(PaymentState.LAPSED, 0, 0, month, 0)
    percent = surcharge_table[min(month, len(surcharge_table)) - 1]
    surcharge = _percent(annuity.full_minor, percent)
    return AmountDue(PaymentState.GRACE, annuity.amount_minor, surcharge, month, percent)


def lapse_date(annuity: Annuity) -> date:
    """The day from which the right is gone if this fee is never paid: the due date, retroactively.

    It is certain only once `grace_end` has passed (细则 art. 115).
    """
    return annuity.due


def restoration_deadline(notice_date: date) -> date:
    """Last day to ask for restoration after the office's notice of lapse (细则 art. 6)."""
    return add_months(notice_date, RESTORATION_MONTHS)


class FeeStanding(StrEnum):
    """How a right stands with its fees on a day."""

    NONE_DUE = "none_due"  # this right has no yearly fees
    PAID = "paid"
    DUE_SOON = "due_soon"
    GRACE = "grace"
    LAPSED = "lapsed"
    UNKNOWN = "unknown"  # nobody has said which years are paid


@dataclass(frozen=True, slots=True)
class AnnuityState:
    """The fees of a right on a day: its standing, the fee that matters, what paying it today costs (fen)."""

    standing: FeeStanding
    annuity: Annuity | None = None
    owed: AmountDue | None = None


def annuity_state(
    annuities: list[Annuity],
    paid_years: Collection[int] | None,
    today: date,
    surcharge_table: tuple[int, ...] = SURCHARGE_PRACTICE,
    soon_days: int = 90,
) -> AnnuityState:
    """Standing of a right given the patent years that are paid (None: not known).

    The fee of the grant year counts as paid: without it there is no grant. The oldest unpaid fee decides.
    """
    if not annuities:
        return AnnuityState(FeeStanding.NONE_DUE)
    if paid_years is None:
        return AnnuityState(FeeStanding.UNKNOWN)
    unpaid = next((a for a in annuities if not a.with_grant and a.year not in paid_years), None)
    if unpaid is None:
        return AnnuityState(FeeStanding.PAID)
    owed = amount_due(unpaid, today, surcharge_table)
    if owed.state == PaymentState.ON_TIME:
        soon = (unpaid.due - today).days <= soon_days
        return AnnuityState(FeeStanding.DUE_SOON if soon else FeeStanding.PAID, unpaid, owed)
    standing = FeeStanding.GRACE if owed.state == PaymentState.GRACE else FeeStanding.LAPSED
    return AnnuityState(standing, unpaid, owed)


def _reduced(full: int, year: int, first: int, reduction: Reduction | None) -> int:
    if reduction is None:
        return full
    if reduction.years is not None and year >= first + reduction.years:
        return full
    if reduction.only_years is not None and year not in reduction.only_years:
        return full
    return full - _percent(full, reduction.percent_off)


def _percent(amount: int, percent: int) -> int:
    """Half-up percent of an amount in minor units."""
    return (amount * percent + 50) // 100
