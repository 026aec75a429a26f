"""Which receivable a credit pays: by the reference in its memo, then amount and payer are compared. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Expected:
    """What the matcher needs to know of a receivable; ``rest_minor`` is what is still missing."""

    receivable_id: int
    reference: str
    currency: str
    rest_minor: int
    open: bool
    names: tuple[str, ...]  # the organisation's name and account name
    account: str


@dataclass(frozen=True)
class Match:
    """``verdict`` exact, doubtful or none; ``doubts`` are codes of texts.DOUBTS."""

    verdict: str
    receivable_id: int | None
    doubts: tuple[str, ...] = ()


def match(
    references: Iterable[str],
    amount_minor: int,
    currency: str,
    payer_name: str,
    payer_account: str,
    expected: Mapping[str, Expected],
) -> Match:
    """Exact when one reference, the whole rest, and the organisation itself as payer, with the number of the account
    it paid from, agree. A credit without that number is doubtful (``account_missing``)."""
    listed = list(references)
    if not listed:
        return Match("none", None, ("no_reference",))
    known = [expected[ref] for ref in listed if ref in expected]
    if not known:
        return Match("none", None, ("reference_unknown",))
    if len(known) > 1:
        return Match("doubtful", None, ("two_references",))
    wanted = known[0]
    doubts = []
    if not wanted.open:
        doubts.append("receivable_closed")
    elif amount_minor < wanted.rest_minor:
        doubts.append("amount_under")
    elif amount_minor > wanted.rest_minor:
        doubts.append("amount_over")
    if currency != wanted.currency:
        doubts.append("other_currency")
    if not same_payer(payer_name, payer_account, wanted):
        doubts.append("other_payer")
    elif not _digits(payer_account):  # a name alone is what anybody may type; a person compares
        doubts.append("account_missing")
    return Match("doubtful" if doubts else "exact", wanted.receivable_id, tuple(doubts))


def same_payer(name: str, account: str, wanted: Expected) -> bool:
    """The organisation's own name; or, where the statement names nobody, its own account."""
    if _bare(name):
        return _bare(name) in {_bare(own) for own in wanted.names if own}
    return bool(_digits(account)) and _digits(account) == _digits(wanted.account)


def _bare(name: str) -> str:
    return re.sub(r"[\s()·.,\-]+", "", unicodedata.normalize("NFKC", name or "")).casefold()


def _digits(account: str) -> str:
    return re.sub(r"\W+", "", unicodedata.normalize("NFKC", account or ""))
