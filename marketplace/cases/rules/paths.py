"""The legal paths of a disposal (domain 1.0): who sells, on what ground, what the bank must bring."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Path(StrEnum):
    """Stable code of a legal path, as stored; the letter is that of domain 1.0."""

    AGREED_SALE = "agreed_sale"  # C
    AGREED_DISCOUNT = "agreed_discount"  # D
    SECURITY_ENFORCEMENT = "security_enforcement"  # B
    JUDICIAL = "judicial"  # A
    BANKRUPTCY = "bankruptcy"  # E
    STATE_OWNED = "state_owned"  # F
    COMMERCIAL = "commercial"  # G


@dataclass(frozen=True, slots=True)
class PathRule:
    """``basis`` says whether the ground (clause, ruling number) must be written down; ``source`` is its law."""

    code: Path
    letter: str
    basis: bool
    source: str


_ROWS = (
    PathRule(Path.AGREED_SALE, "C", True, "担保解释 art. 45；民法典 arts. 410, 436"),
    PathRule(Path.AGREED_DISCOUNT, "D", True, "民法典 arts. 410, 428, 436"),
    PathRule(Path.SECURITY_ENFORCEMENT, "B", True, "民诉法 arts. 207-208；民诉解释 arts. 359-372"),
    PathRule(Path.JUDICIAL, "A", True, "网拍规定；拍变规定；参考价规定"),
    PathRule(Path.BANKRUPTCY, "E", True, "企业破产法 arts. 109-113"),
    PathRule(Path.STATE_OWNED, "F", False, "企业国有资产法 arts. 54-55；32号令"),
    PathRule(Path.COMMERCIAL, "G", False, "拍卖法 arts. 11, 14, 60"),
)

#: Every path by its code; the usual one of a bank first.
PATHS: dict[Path, PathRule] = {row.code: row for row in _ROWS}
