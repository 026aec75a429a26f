"""The kinds of right the marketplace lists: a table, one row each.

What the policy names as pledgeable (patents, marks, plant varieties, geographical indications, collective and
certification marks, data rights) and what practice adds. A new kind is a new row.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """Stable code of a kind of right, as stored."""

    INVENTION_PATENT = "invention_patent"
    UTILITY_MODEL = "utility_model"
    DESIGN_PATENT = "design_patent"
    PATENT_APPLICATION = "patent_application"
    TRADEMARK = "trademark"
    COLLECTIVE_MARK = "collective_mark"
    CERTIFICATION_MARK = "certification_mark"
    GEOGRAPHICAL_INDICATION = "geographical_indication"
    COPYRIGHT_WORK = "copyright_work"
    SOFTWARE_COPYRIGHT = "software_copyright"
    IC_LAYOUT = "ic_layout"
    PLANT_VARIETY = "plant_variety"
    DATA_RIGHT = "data_right"
    TRADE_SECRET = "trade_secret"  # noqa: S105  a kind of right, not a password


class NumberFamily(StrEnum):
    """The numbering system a kind is registered under."""

    PATENT = "patent"
    MARK = "mark"
    SOFTWARE = "software"
    PLANT_VARIETY = "plant_variety"
    IC_LAYOUT = "ic_layout"
    FREE = "free"  # no nationwide format: any text, always with a warning


@dataclass(frozen=True, slots=True)
class KindInfo:
    """One kind of right.

    `any_bidder`: may be sold to arbitrary bidders; otherwise the transferee must hold the qualifying status
    (domain 2.4). `pledgeable`: a patent application cannot be pledged (专利权质押登记办法, CNIPA 461号).
    `register` holds the right itself, `pledge_register` its pledge (domain 2.2); empty where there is none.
    `has_annuities`: yearly fees keep it alive. `is_patent`: granted patents of the three types.
    """

    code: Kind
    zh: str
    en: str
    family: NumberFamily
    register: str
    pledge_register: str
    any_bidder: bool = True
    pledgeable: bool = True
    has_annuities: bool = False
    is_patent: bool = False
    is_mark: bool = False


_CNIPA_PATENT = "国家知识产权局专利登记簿"
_CNIPA_MARK = "国家知识产权局商标注册簿"
_CPCC = "中国版权保护中心"
_ZHONGDENG = "动产融资统一登记公示系统"
_P, _M = NumberFamily.PATENT, NumberFamily.MARK

_ROWS = (
    KindInfo(
        Kind.INVENTION_PATENT,
        "发明专利",
        "Invention patent",
        _P,
        _CNIPA_PATENT,
        _CNIPA_PATENT,
        has_annuities=True,
        is_patent=True,
    ),
    KindInfo(
        Kind.UTILITY_MODEL,
        "实用新型专利",
        "Utility model",
        _P,
        _CNIPA_PATENT,
        _CNIPA_PATENT,
        has_annuities=True,
        is_patent=True,
    ),
    KindInfo(
        Kind.DESIGN_PATENT,
        "外观设计专利",
        "Design patent",
        _P,
        _CNIPA_PATENT,
        _CNIPA_PATENT,
        has_annuities=True,
        is_patent=True,
    ),
    KindInfo(
        Kind.PATENT_APPLICATION,
        "专利申请权",
        "Patent application",
        _P,
        "国家知识产权局",
        "",
        pledgeable=False,
    ),
    KindInfo(Kind.TRADEMARK, "商标", "Trademark", _M, _CNIPA_MARK, _CNIPA_MARK, is_mark=True),
    KindInfo(
        Kind.COLLECTIVE_MARK,
        "集体商标",
        "Collective mark",
        _M,
        _CNIPA_MARK,
        _CNIPA_MARK,
        any_bidder=False,
        is_mark=True,
    ),
    KindInfo(
        Kind.CERTIFICATION_MARK,
        "证明商标",
        "Certification mark",
        _M,
        _CNIPA_MARK,
        _CNIPA_MARK,
        any_bidder=False,
        is_mark=True,
    ),
    KindInfo(
        Kind.GEOGRAPHICAL_INDICATION,
        "地理标志",
        "Geographical indication",
        NumberFamily.FREE,
        "国家知识产权局",
        "",
        any_bidder=False,
    ),
    KindInfo(Kind.COPYRIGHT_WORK, "作品著作权", "Copyright in a work", NumberFamily.FREE, _CPCC, _CPCC),
    KindInfo(Kind.SOFTWARE_COPYRIGHT, "计算机软件著作权", "Software copyright", NumberFamily.SOFTWARE, _CPCC, _CPCC),
    KindInfo(
        Kind.IC_LAYOUT,
        "集成电路布图设计专有权",
        "IC layout design",
        NumberFamily.IC_LAYOUT,
        "国家知识产权局布图设计登记簿",
        "国家知识产权局",
    ),
    KindInfo(
        Kind.PLANT_VARIETY,
        "植物新品种权",
        "Plant variety right",
        NumberFamily.PLANT_VARIETY,
        "农业农村部、国家林业和草原局",
        "农业农村部、国家林业和草原局",
    ),
    KindInfo(
        Kind.DATA_RIGHT,
        "数据权益",
        "Data right",
        NumberFamily.FREE,
        "省级数据知识产权登记机构",
        "省级数据知识产权登记机构",
    ),
    KindInfo(Kind.TRADE_SECRET, "商业秘密", "Trade secret", NumberFamily.FREE, "", _ZHONGDENG),
)

#: Every kind by its code, in the order a form shows them.
KINDS: dict[Kind, KindInfo] = {row.code: row for row in _ROWS}
