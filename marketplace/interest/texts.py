"""Words of the interest room for its codes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from marketplace.core.i18n import _, _l, get_locale
from marketplace.core.money import format_minor

OFTEN = {"at_once": _l("有新的就发邮件"), "daily": _l("每天早上汇总一封"), "never": _l("不发邮件")}
WANTED = {"licence": _l("取得许可"), "purchase": _l("购买权利"), "either": _l("许可或购买均可")}
NEED_STATES = {
    "draft": _l("草稿"),
    "submitted": _l("待审核"),
    "published": _l("征集中"),
    "matched": _l("已对接"),
    "closed": _l("已结束"),
    "expired": _l("已到期"),
}
NEED_TONES = {
    "draft": "neutral",
    "submitted": "warn",
    "published": "live",
    "matched": "good",
    "closed": "neutral",
    "expired": "neutral",
}
RESPONSE_STATES = {
    "offered": _l("等需求方答复"),
    "accepted": _l("双方同意对接"),
    "declined": _l("需求方未接受"),
    "withdrawn": _l("已撤回"),
    "lapsed": _l("需求已结束"),
}
RESPONSE_STATES_OF_POSTER = RESPONSE_STATES | {"offered": _l("等您答复"), "declined": _l("您未接受")}
RESPONSE_TONES = {
    "offered": "warn",
    "accepted": "good",
    "declined": "neutral",
    "withdrawn": "neutral",
    "lapsed": "neutral",
}
FIELDS = {
    "title": _l("标题"),
    "title_en": _l("英文标题"),
    "details": _l("技术需求"),
    "details_en": _l("技术需求（英文）"),
    "ipc": _l("技术领域（IPC 分类号）"),
    "industry": _l("行业代码（GB/T 4754）"),
    "region_code": _l("行政区划代码"),
    "wanted": _l("希望的方式"),
    "budget_low": _l("预算下限"),
    "budget_high": _l("预算上限"),
    "valid_until": _l("征集截止日"),
    "anonymous": _l("对公众匿名"),
    "contact": _l("联系人和联系方式"),
}


def reason_text(reason: Mapping[str, Any]) -> str:
    """One reason of a match in the reader's language; ``reason`` as kept: code, params."""
    code, params = str(reason["code"]), reason.get("params") or {}
    if code in ("ipc_subclass", "ipc_class"):
        return _("同属 IPC %(codes)s", codes=listed(params["ipc"]))
    if code == "words":
        return _("都提到 %(words)s", words=listed(_readable(params["words"])))
    if code == "industry":
        return _("同一行业 %(code)s", code=params["industry"])
    if code == "industry_division":
        return _("同一行业大类 %(code)s", code=params["industry"])
    if code == "price_within":
        return _("价格 %(price)s 在预算之内", price=format_minor(params["price_minor"], params["currency"]))
    if code == "price_above":
        price = format_minor(params["price_minor"], params["currency"])
        return _("价格 %(price)s 超出预算 %(percent)s%%", price=price, percent=params["percent"])
    return str(PLAIN_REASONS.get(code, code))


def _readable(words: Sequence[str]) -> Sequence[str]:
    """Those in the script that the reader reads; all, when there are none."""
    chinese = str(get_locale() or "zh") != "en"
    return [word for word in words if word.isascii() != chinese] or words


PLAIN_REASONS = {
    "region_city": _l("同一城市"),
    "region_province": _l("同一省份"),
    "wanted_licence": _l("可以取得许可"),
    "wanted_purchase": _l("可以购买权利"),
    "only_sale": _l("只出售权利，不单独许可"),
    "only_licence": _l("只许可，不出售权利"),
}


def said(reasons: Sequence[Mapping[str, Any]]) -> str:
    """What speaks for a match, in one line."""
    return _("，").join(reason_text(reason) for reason in reasons if reason.get("strength") != "against")


def listed(items: Sequence[str]) -> str:
    return "·".join(str(item) for item in items)


def budget_text(low_minor: int | None, high_minor: int | None, currency: str = "CNY") -> str:
    """A budget in words; empty where none is said."""
    if low_minor and high_minor:
        return f"{format_minor(low_minor, currency)} – {format_minor(high_minor, currency)}"
    if high_minor is not None:
        return _("不超过 %(price)s", price=format_minor(high_minor, currency))
    return _("不低于 %(price)s", price=format_minor(low_minor, currency)) if low_minor else ""
