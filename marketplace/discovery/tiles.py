"""The 34 divisions of the province level as a grid of tiles, each about where it lies: (column, row), short names."""

from __future__ import annotations

TILES: dict[str, tuple[int, int, str, str]] = {
    "230000": (8, 0, "黑龙江", "Heilongjiang"),
    "150000": (6, 1, "内蒙古", "Inner Mong."),
    "220000": (8, 1, "吉林", "Jilin"),
    "650000": (1, 2, "新疆", "Xinjiang"),
    "620000": (3, 2, "甘肃", "Gansu"),
    "640000": (4, 2, "宁夏", "Ningxia"),
    "110000": (6, 2, "北京", "Beijing"),
    "120000": (7, 2, "天津", "Tianjin"),
    "210000": (8, 2, "辽宁", "Liaoning"),
    "630000": (2, 3, "青海", "Qinghai"),
    "610000": (4, 3, "陕西", "Shaanxi"),
    "140000": (5, 3, "山西", "Shanxi"),
    "130000": (6, 3, "河北", "Hebei"),
    "370000": (7, 3, "山东", "Shandong"),
    "540000": (1, 4, "西藏", "Tibet"),
    "510000": (3, 4, "四川", "Sichuan"),
    "500000": (4, 4, "重庆", "Chongqing"),
    "410000": (5, 4, "河南", "Henan"),
    "340000": (6, 4, "安徽", "Anhui"),
    "320000": (7, 4, "江苏", "Jiangsu"),
    "310000": (8, 4, "上海", "Shanghai"),
    "520000": (4, 5, "贵州", "Guizhou"),
    "420000": (5, 5, "湖北", "Hubei"),
    "360000": (6, 5, "江西", "Jiangxi"),
    "330000": (7, 5, "浙江", "Zhejiang"),
    "530000": (3, 6, "云南", "Yunnan"),
    "450000": (4, 6, "广西", "Guangxi"),
    "430000": (5, 6, "湖南", "Hunan"),
    "440000": (6, 6, "广东", "Guangdong"),
    "350000": (7, 6, "福建", "Fujian"),
    "710000": (8, 6, "台湾", "Taiwan"),
    "460000": (4, 7, "海南", "Hainan"),
    "820000": (5, 7, "澳门", "Macao"),
    "810000": (6, 7, "香港", "Hong Kong"),
}
COLUMNS, ROWS = 9, 8


def shade(count: int, most: int) -> int:
    """0 nothing, then 1 to 4 by quarters of the square root, so that one large region does not hide the others."""
    if not count or most <= 0:
        return 0
    return min(4, 1 + int(4 * (count / most) ** 0.5 * 0.999))
