"""Three trees: IPC, industries (GB/T 4754-2017), divisions of China. Codes, what stands above a code, and the names of
the top levels; the rest of the names is loaded by ``flask search taxonomy`` (IPC titles: IPC, WIPO)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping

SCHEMES = ("ipc", "industry", "region")
IPC_SOURCE = "IPC, WIPO"

Names = Mapping[str, tuple[str, str]]

IPC: Names = {
    "A": ("人类生活必需", "Human necessities"),
    "B": ("作业；运输", "Performing operations; transporting"),
    "C": ("化学；冶金", "Chemistry; metallurgy"),
    "D": ("纺织；造纸", "Textiles; paper"),
    "E": ("固定建筑物", "Fixed constructions"),
    "F": ("机械工程；照明；加热；武器；爆破", "Mechanical engineering; lighting; heating; weapons; blasting"),
    "G": ("物理", "Physics"),
    "H": ("电学", "Electricity"),
}
INDUSTRY: Names = {
    "A": ("农、林、牧、渔业", "Agriculture, forestry, animal husbandry and fishery"),
    "B": ("采矿业", "Mining"),
    "C": ("制造业", "Manufacturing"),
    "D": ("电力、热力、燃气及水生产和供应业", "Electricity, heat, gas and water supply"),
    "E": ("建筑业", "Construction"),
    "F": ("批发和零售业", "Wholesale and retail trade"),
    "G": ("交通运输、仓储和邮政业", "Transport, storage and post"),
    "H": ("住宿和餐饮业", "Accommodation and catering"),
    "I": ("信息传输、软件和信息技术服务业", "Information transmission, software and IT services"),
    "J": ("金融业", "Finance"),
    "K": ("房地产业", "Real estate"),
    "L": ("租赁和商务服务业", "Leasing and business services"),
    "M": ("科学研究和技术服务业", "Scientific research and technical services"),
    "N": ("水利、环境和公共设施管理业", "Water, environment and public facilities"),
    "O": ("居民服务、修理和其他服务业", "Household, repair and other services"),
    "P": ("教育", "Education"),
    "Q": ("卫生和社会工作", "Health and social work"),
    "R": ("文化、体育和娱乐业", "Culture, sports and entertainment"),
    "S": ("公共管理、社会保障和社会组织", "Public administration, social security and organisations"),
    "T": ("国际组织", "International organisations"),
}
#: The last division (two digits) of each section of GB/T 4754-2017.
_LAST_DIVISION = {
    "A": 5, "B": 12, "C": 43, "D": 46, "E": 50, "F": 52, "G": 60, "H": 62, "I": 65, "J": 69, "K": 70, "L": 72, "M": 75,
    "N": 79, "O": 82, "P": 83, "Q": 85, "R": 90, "S": 96, "T": 97,
}  # fmt: skip
REGION: Names = {
    "110000": ("北京市", "Beijing"),
    "120000": ("天津市", "Tianjin"),
    "130000": ("河北省", "Hebei"),
    "140000": ("山西省", "Shanxi"),
    "150000": ("内蒙古自治区", "Inner Mongolia"),
    "210000": ("辽宁省", "Liaoning"),
    "220000": ("吉林省", "Jilin"),
    "230000": ("黑龙江省", "Heilongjiang"),
    "310000": ("上海市", "Shanghai"),
    "320000": ("江苏省", "Jiangsu"),
    "330000": ("浙江省", "Zhejiang"),
    "340000": ("安徽省", "Anhui"),
    "350000": ("福建省", "Fujian"),
    "360000": ("江西省", "Jiangxi"),
    "370000": ("山东省", "Shandong"),
    "410000": ("河南省", "Henan"),
    "420000": ("湖北省", "Hubei"),
    "430000": ("湖南省", "Hunan"),
    "440000": ("广东省", "Guangdong"),
    "450000": ("广西壮族自治区", "Guangxi"),
    "460000": ("海南省", "Hainan"),
    "500000": ("重庆市", "Chongqing"),
    "510000": ("四川省", "Sichuan"),
    "520000": ("贵州省", "Guizhou"),
    "530000": ("云南省", "Yunnan"),
    "540000": ("西藏自治区", "Tibet"),
    "610000": ("陕西省", "Shaanxi"),
    "620000": ("甘肃省", "Gansu"),
    "630000": ("青海省", "Qinghai"),
    "640000": ("宁夏回族自治区", "Ningxia"),
    "650000": ("新疆维吾尔自治区", "Xinjiang"),
    "710000": ("台湾省", "Taiwan"),
    "810000": ("香港特别行政区", "Hong Kong"),
    "820000": ("澳门特别行政区", "Macao"),
}
TOP: Mapping[str, Names] = {"ipc": IPC, "industry": INDUSTRY, "region": REGION}
#: Their counties stand directly below them.
MUNICIPALITIES = ("11", "12", "31", "50")

_IPC = re.compile(r"([A-H])(?:(\d\d)(?:([A-Z])(?:(\d{1,4})(?:/(\d{1,6}))?)?)?)?")
_INDUSTRY = re.compile(r"([A-T])?(\d{0,4})")


def ipc_path(code: str) -> tuple[str, ...]:
    """``H01M 10/0525`` → H, H01, H01M, H01M10/00, H01M10/0525; empty for what is no symbol of the IPC."""
    match = _IPC.fullmatch(re.sub(r"[\s_\-]", "", code.upper()))
    if match is None:
        return ()
    section, class_, subclass, group, sub = match.groups()
    path = [section]
    if class_:
        path.append(section + class_)
    if subclass:
        path.append(section + class_ + subclass)
    if group:
        head = f"{section}{class_}{subclass}{int(group)}"
        path.append(f"{head}/00")
        if sub and sub.strip("0"):
            path.append(f"{head}/{sub}")
    return tuple(path)


def industry_path(code: str) -> tuple[str, ...]:
    """``2614`` or ``C2614`` → C, C26, C261, C2614; empty for what is no code of GB/T 4754."""
    match = _INDUSTRY.fullmatch(code.strip().upper())
    if match is None or not code.strip():
        return ()
    letter, digits = match.groups()
    if len(digits) == 1:
        return ()
    if digits:
        division = int(digits[:2])
        found = next((name for name, last in _LAST_DIVISION.items() if division <= last), "") if division else ""
        if not found or (letter and letter != found):
            return ()
        letter = found
    return (letter, *(letter + digits[:n] for n in (2, 3, 4) if len(digits) >= n))


def region_path(code: str) -> tuple[str, ...]:
    """``420106`` → 420000, 420100, 420106; a municipality's county stands directly below it."""
    digits = code.strip()
    if not (digits.isascii() and digits.isdigit() and len(digits) in (2, 4, 6)):
        return ()
    digits = digits.ljust(6, "0")
    province = digits[:2] + "0000"
    if province not in REGION:
        return ()
    path = [province]
    if digits[2:] != "0000":
        prefecture = digits[:4] + "00"
        if digits[:2] not in MUNICIPALITIES and prefecture != digits:
            path.append(prefecture)
        path.append(digits)
    return tuple(path)


PATHS: Mapping[str, Callable[[str], tuple[str, ...]]] = {
    "ipc": ipc_path,
    "industry": industry_path,
    "region": region_path,
}


def opened(scheme: str, chosen: Iterable[str]) -> tuple[str, ...]:
    """The codes whose branches a page shows: what was chosen and all above it."""
    return tuple(dict.fromkeys(step for code in chosen for step in path(scheme, code)))


def path(scheme: str, code: str) -> tuple[str, ...]:
    """A code and all above it, the top first; empty for a code that the tree does not know."""
    return PATHS[scheme](code)
