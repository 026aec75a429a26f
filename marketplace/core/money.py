"""Money: integer minor units (fen for CNY) and a currency. Never floats, never silent rounding."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

SYMBOLS = {"CNY": "¥", "USD": "US$", "EUR": "€", "HKD": "HK$"}
MAX_MINOR = 10**15  # ten trillion yuan: beyond any sale, well inside BIGINT
_AMOUNT = re.compile(r"^(\d{1,3}(?:,\d{3})+|\d+)(?:\.(\d{1,}))?$")


class MoneyRefused(ValueError):
    """``code`` is one of money_format, money_decimals, money_too_large, money_negative."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, order=True)
class Money:
    """``minor`` units of ``currency``; two currencies never mix."""

    minor: int
    currency: str = "CNY"

    def _same(self, other: Money) -> None:
        if self.currency != other.currency:
            raise ValueError("currencies differ")

    def __add__(self, other: Money) -> Money:
        self._same(other)
        return Money(self.minor + other.minor, self.currency)

    def __sub__(self, other: Money) -> Money:
        self._same(other)
        return Money(self.minor - other.minor, self.currency)

    def __str__(self) -> str:
        return format_minor(self.minor, self.currency)


def format_minor(minor: int, currency: str = "CNY") -> str:
    """``123456700`` fen → ``¥1,234,567.00``; negative amounts lead with a minus sign."""
    sign = "-" if minor < 0 else ""
    whole, cents = divmod(abs(minor), 100)
    return f"{sign}{SYMBOLS.get(currency, currency + ' ')}{whole:,}.{cents:02d}"


def parse_minor(text: str) -> int:
    """Minor units from what people type: ``1,234,567.00``, ``￥１２３``, ``12.5万``, ``1.2亿元``.

    More than two decimals (after 万/亿 are worked out) are refused rather than rounded: ``money_decimals``.
    """
    raw = unicodedata.normalize("NFKC", text or "").strip().replace(" ", "").replace("，", ",")
    raw = raw.removeprefix("CNY").removeprefix("RMB").lstrip("¥￥").removeprefix("人民币").removesuffix("元整")
    raw = raw.removesuffix("元").removesuffix("圆")
    if raw.startswith("-"):
        raise MoneyRefused("money_negative")
    factor = Decimal(1)
    for unit, value in (("万", 10**4), ("萬", 10**4), ("亿", 10**8), ("億", 10**8)):
        if raw.endswith(unit):
            raw, factor = raw.removesuffix(unit), Decimal(value)
            break
    match = _AMOUNT.match(raw) if raw.isascii() and len(raw) <= 40 else None
    if match is None:
        raise MoneyRefused("money_format")
    minor = Decimal(raw.replace(",", "")) * factor * 100
    if minor != minor.to_integral_value():
        raise MoneyRefused("money_decimals")
    if minor > MAX_MINOR:
        raise MoneyRefused("money_too_large")
    return int(minor)


def half_up(value: Decimal) -> int:
    """The one rounding of the house: half away from zero to whole minor units."""
    return int(value.quantize(Decimal(1), rounding=ROUND_HALF_UP))


def split(minor: int, weights: Sequence[int]) -> list[int]:
    """Split by weights with the largest remainder; parts sum to ``minor`` exactly, ties to the earlier part."""
    total = sum(weights)
    if total <= 0 or any(w < 0 for w in weights):
        raise ValueError("weights must be non-negative and not all zero")
    sign = -1 if minor < 0 else 1
    parts = [divmod(abs(minor) * w, total) for w in weights]
    left = abs(minor) - sum(q for q, _ in parts)
    order = sorted(range(len(parts)), key=lambda i: (-parts[i][1], i))
    extra = set(order[:left])
    return [sign * (q + (1 if i in extra else 0)) for i, (q, _) in enumerate(parts)]
