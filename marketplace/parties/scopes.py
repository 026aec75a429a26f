"""What an API token may do. The scopes are part of the API contract."""

from __future__ import annotations

from marketplace.core.i18n import _l, _lp

SCOPES = {
    "cases:read": _l("查看不良案件"),
    "cases:write": _l("录入不良案件"),
    "rights:read": _l("查看知识产权"),
    "rights:write": _l("录入知识产权"),
    "listings:read": _l("查看挂牌"),
    "auctions:read": _l("查看拍卖"),
    "auctions:register": _lp("scope", "报名竞买"),
    "bids:write": _lp("scope", "出价"),
    "results:read": _l("查看结果"),
}
