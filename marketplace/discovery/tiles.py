"""The 34 divisions of the province level as a grid of tiles, each about where it lies: column, row, names,
and the shortest names for a small picture (the second as in ISO 3166-2:CN)."""

from __future__ import annotations

TILES: dict[str, tuple[int, int, str, str, str, str]] = {
    "230000": (8, 0, "黑龙江", "Heilongjiang", "黑", "HL"),
    "150000": (6, 1, "内蒙古", "Inner Mong.", "蒙", "NM"),
    "220000": (8, 1, "吉林", "Jilin", "吉", "JL"),
    "650000": (1, 2, "新疆", "Xinjiang", "新", "XJ"),
    "620000": (3, 2, "甘肃", "Gansu", "甘", "GS"),
    "640000": (4, 2, "宁夏", "Ningxia", "宁", "NX"),
    "110000": (6, 2, "北京", "Beijing", "京", "BJ"),
    "120000": (7, 2, "天津", "Tianjin", "津", "TJ"),
    "210000": (8, 2, "辽宁", "Liaoning", "辽", "LN"),
    "630000": (2, 3, "青海", "Qinghai", "青", "QH"),
    "610000": (4, 3, "陕西", "Shaanxi", "陕", "SN"),
    "140000": (5, 3, "山西", "Shanxi", "晋", "SX"),
    "130000": (6, 3, "河北", "Hebei", "冀", "HE"),
    "370000": (7, 3, "山东", "Shandong", "鲁", "SD"),
    "540000": (1, 4, "西藏", "Tibet", "藏", "XZ"),
    "510000": (3, 4, "四川", "Sichuan", "川", "SC"),
    "500000": (4, 4, "重庆", "Chongqing", "渝", "CQ"),
    "410000": (5, 4, "河南", "Henan", "豫", "HA"),
    "340000": (6, 4, "安徽", "Anhui", "皖", "AH"),
    "320000": (7, 4, "江苏", "Jiangsu", "苏", "JS"),
    "310000": (8, 4, "上海", "Shanghai", "沪", "SH"),
    "520000": (4, 5, "贵州", "Guizhou", "贵", "GZ"),
    "420000": (5, 5, "湖北", "Hubei", "鄂", "HB"),
    "360000": (6, 5, "江西", "Jiangxi", "赣", "JX"),
    "330000": (7, 5, "浙江", "Zhejiang", "浙", "ZJ"),
    "530000": (3, 6, "云南", "Yunnan", "云", "YN"),
    "450000": (4, 6, "广西", "Guangxi", "桂", "GX"),
    "430000": (5, 6, "湖南", "Hunan", "湘", "HN"),
    "440000": (6, 6, "广东", "Guangdong", "粤", "GD"),
    "350000": (7, 6, "福建", "Fujian", "闽", "FJ"),
    "710000": (8, 6, "台湾", "Taiwan", "台", "TW"),
    "460000": (4, 7, "海南", "Hainan", "琼", "HI"),
    "820000": (5, 7, "澳门", "Macao", "澳", "MO"),
    "810000": (6, 7, "香港", "Hong Kong", "港", "HK"),
}
COLUMNS, ROWS = 9, 8


def shade(count: int, most: int) -> int:
    """0 nothing, then 1 to 4 by quarters of the square root, so that one large region does not hide the others."""
    if not count or most <= 0:
        return 0
    return min(4, 1 + int(4 * (count / most) ** 0.5 * 0.999))
