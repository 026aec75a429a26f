"""What the codes of this room mean to a user, in short sentences that say what to do."""

from __future__ import annotations

from datetime import datetime
from functools import cache
from typing import Any

from marketplace.core.clock import SHANGHAI
from marketplace.core.i18n import _, _l, _lp, get_locale
from marketplace.core.money import format_minor

ANSWERS = {
    "accepted": _l("出价成功"),
    "not_open": _l("竞价尚未开始，将于 %(opens_at)s 开始"),
    "closed": _l("竞价已于 %(ends_at)s 结束，此次出价无效"),
    "suspended": _l("竞价已暂停，恢复前不能出价"),
    "withdrawn": _l("标的已撤回，不再接受出价"),
    "bad_amount": _l("出价金额无效"),
    "own_lead": _l("您目前已经领先，无需再次出价"),
    "below_start": _l("出价不得低于起拍价 %(minimum_minor)s"),
    "below_minimum": _l("价格已更新，最低须出价 %(minimum_minor)s"),
    "not_multiple": _l("加价须为加价幅度 %(increment_minor)s 的整数倍，相近的有效出价为 %(upper_minor)s"),
    "confirm_high": _l("您的出价 %(amount_minor)s 远高于当前价格 %(price_minor)s，请确认后重新提交"),
    "priority_not_allowed": _l("本场竞价不设优先购买权"),
    "priority_not_confirmed": _l("您的优先购买权未经确认，请按普通方式出价"),
    "priority_outranked": _l("领先者的优先顺位不低于您，请出价 %(minimum_minor)s 或者更高"),
    "format_unknown": _l("暂不支持这种竞价方式"),
    "not_registered": _l("您尚未报名，请先报名并交纳保证金"),
    "not_qualified": _l("保证金尚未到账确认，确认后即可出价"),
    "barred": _l("贵机构被限制参加本标的的竞价"),
    "organisation_not_verified": _l("贵机构尚未通过核验，核验通过后方可进行此操作"),
    "seller_side": _l("处置方及其关联方不得参加竞价"),
    "key_reused": _l("同一请求编号已用于另一笔出价，请刷新页面后重试"),
    "reason_missing": _l("请填写理由"),
    "not_suspended": _l("竞价没有暂停"),
    "end_too_early": _l("结束时间不得早于 %(earliest)s"),
    "already_closed": _l("竞价已经结束"),
    "already_barred": _l("该竞买人已被限制参加"),
    "leader": _l("该竞买人正在领先，其出价不能撤销，因此现在不能限制；被他人超出后可以限制，确有必要的请申请撤回本场"),
}

LOT_STATES = {
    "scheduled": _l("即将开始"),
    "running": _l("竞价中"),
    "suspended": _lp("lot", "暂停"),
    "withdrawn": _l("撤回"),
    "sold": _l("成交"),
    "unsold": _l("流拍"),
}
AFTER_SALE = {
    "awaiting_confirmation": _l("等待候补买受人确认"),
    "awaiting_balance": _l("等待支付余款"),
    "paid": _l("余款已付清"),
    "title_transfer": _l("办理权利变更"),
    "completed": _l("已办结"),
    "defaulted": _l("买受人悔拍"),
    "annulled": _l("成交已撤销"),
}
ENTRY_KINDS = {
    "bid": _l("出价"),
    "suspended": _lp("lot", "暂停"),
    "resumed": _lp("lot", "恢复"),
    "prolonged": _l("顺延"),
    "barred": _l("限制参加"),
    "withdrawn": _l("撤回"),
    "closed": _lp("lot", "结束"),
}


def moment(value: datetime) -> str:
    """A moment for a sentence: Shanghai time with seconds."""
    return value.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M:%S")


@cache
def _sentence(code: str, language: str) -> str:
    """In the language of the request, looked up once for each: hundreds of bids a second are told the same."""
    return str(ANSWERS[code])


def explain(code: str, params: dict[str, Any], currency: str = "CNY") -> str:
    """The sentence for a code; amounts and moments among ``params`` are written out."""
    shown = {}
    for name, value in params.items():
        if name.endswith("_minor") and isinstance(value, int):
            value = format_minor(value, currency)
        elif isinstance(value, datetime):
            value = moment(value)
        elif isinstance(value, str) and (name.endswith("_at") or name == "earliest"):
            value = moment(datetime.fromisoformat(value))
        shown[name] = value
    if code not in ANSWERS:
        return _("操作未能完成（%(code)s）", code=code)
    sentence = _sentence(code, str(get_locale()))
    return sentence % shown if shown or "%(" not in sentence else sentence
