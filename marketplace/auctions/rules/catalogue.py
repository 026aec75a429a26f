"""The six rule profiles. Every figure carries its source; where the law is open: practice or contract."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from . import texts
from .findings import Force, Term
from .profiles import IncrementBand, NoticeBand, Profile, Round

YUAN = 100  # minor units
WAN = 10_000 * YUAN

_OWN_RULE = "平台规则"
_GUIDELINE = "法院问答实务口径（增价幅度）"
_SELL_OFF_PRACTICE = "变卖实务（公告通例）"


def _like(article: str) -> str:
    return f"{_OWN_RULE}（参照{article}）"


def _flag(value: bool, source: str, force: Force) -> Term:
    return Term(value, "flag", source, force)


def _notice(days: int, source: str, force: Force, unit: str = "days") -> tuple[NoticeBand, ...]:
    return (NoticeBand(None, Term(days, unit, source, force)),)


def _increments(force: Force = "guideline") -> tuple[IncrementBand, ...]:
    return (
        IncrementBand(10 * WAN, Term(200, "bp", _GUIDELINE, force)),
        IncrementBand(100 * WAN, Term(100, "bp", _GUIDELINE, force)),
        IncrementBand(None, Term(50, "bp", _GUIDELINE, force)),
    )


def _ladder(force: Force, prefix: Any) -> tuple[Round, ...]:
    """First auction, second at most 20 % lower, 60-day sell-off at its price (网拍规定 10, 12, 20, 26)."""
    day = Term(86_400, "seconds", prefix("网拍规定 art. 20"), force)
    return (
        Round(
            "first",
            "第一次拍卖",
            "First auction",
            "english_priority",
            Term("floor", "codes", prefix("网拍规定 art. 10"), force),
            _notice(30, prefix("网拍规定 art. 12"), force),
            day,
            None,
            None,
            None,
        ),
        Round(
            "second",
            "第二次拍卖",
            "Second auction",
            "english_priority",
            Term("reduced", "codes", prefix("网拍规定 art. 26"), force),
            _notice(15, prefix("网拍规定 art. 26"), force),
            day,
            Term(2_000, "bp", prefix("网拍规定 art. 26"), force),
            None,
            Term(30, "days", prefix("网拍规定 art. 26"), force),
        ),
        Round(
            "sell_off",
            "变卖",
            "Sell-off",
            "sell_off_60d",
            Term("equals_previous", "codes", f"{_OWN_RULE}（{_SELL_OFF_PRACTICE}）", "contract"),
            (),
            Term(60 * 86_400, "seconds", _SELL_OFF_PRACTICE, "practice"),
            None,
            Term(10_000, "bp", _SELL_OFF_PRACTICE, "practice"),
            None,
        ),
    )


JUDICIAL_ONLINE = Profile(
    code="judicial_online",
    version=1,
    path="A",
    name_zh="网络司法拍卖",
    name_en="Judicial online auction",
    sandbox=False,
    clock_rate=1,
    clock_floor_seconds=0,
    reserve_mode="public_equals_start",
    rounds=_ladder("law", lambda article: article),
    start_floor=Term(7_000, "bp", "网拍规定 art. 10", "law"),
    approval_floor=None,
    deposit_min=Term(500, "bp", "网拍规定 art. 17", "law"),
    deposit_max=Term(2_000, "bp", "网拍规定 art. 17", "law"),
    creditor_waiver=_flag(True, "网拍规定 art. 17", "law"),
    increment_guideline=_increments(),
    increment_multiple=_flag(True, "公告通例（加价幅度或其整数倍）", "practice"),
    extension_window=Term(300, "seconds", "网拍规定 art. 20", "law"),
    extension_length=Term(300, "seconds", "网拍规定 art. 20", "law"),
    extension_cap=None,
    priority_right=_flag(True, "网拍规定 art. 19, 21", "law"),
    jump_factor=Term(10, "times", f"{_OWN_RULE}（防止误报价）", "contract"),
    may_not_bid=(*texts.JUDICIAL_BARRED, *texts.DEFAULTER_BARRED),
    seller_may_bid=_flag(True, "拍变规定 art. 12", "law"),
    outage_silence=Term(30, "seconds", f"{_OWN_RULE}（系统故障顺延）", "contract"),
    outage_extension=Term(3_600, "seconds", f"{_OWN_RULE}（系统故障顺延；参照网拍规定 art. 28）", "contract"),
    default_order=Term(("costs", "shortfall", "case_debt", "related_debt", "held"), "codes", "网拍规定 art. 24", "law"),
    default_bars_buyer=_flag(True, "网拍规定 art. 24", "law"),
    backup_promotion=_flag(False, "网拍规定 art. 24（重新拍卖）", "law"),
    backup_deposit_kept=_flag(False, "网拍规定 art. 23", "law"),
    balance_days=Term(15, "days", "公告载明（网拍规定 art. 25 未定期限）", "practice"),
    refund_hours=Term(24, "hours", "网拍规定 art. 23", "law"),
    parties_notified_days=Term(3, "days", "网拍规定 art. 16", "law"),
    price_basis_months=Term(12, "months", "参考价规定 art. 27", "law"),
    price_basis_grace_months=Term(6, "months", "参考价规定 art. 27", "law"),
    internal_valuation_cap=Term(1_000 * WAN, "minor", f"{_OWN_RULE}（依鄂知发〔2025〕17号）", "contract"),
    licence_required=_flag(False, "网拍规定", "law"),
    identity_published=_flag(True, "网拍规定 art. 14, 22", "law"),
    records_kept_years=Term(10, "years", "网拍规定 art. 29", "law"),
    warnings=texts.warnings("网拍规定 art. 14", "law", identity_published=True),
    notice_items=texts.notice_items("网拍规定 art. 12, 13", "law"),
    documents=texts.documents(("执行裁定书", "协助执行通知书"), judicial=True),
)

PLEDGEE_AGREED = replace(
    JUDICIAL_ONLINE,
    code="pledgee_agreed",
    path="C",
    name_zh="质权人约定处置（网络竞价）",
    name_en="Agreed sale by the pledgee (online bidding)",
    rounds=_ladder("contract", _like),
    start_floor=Term(7_000, "bp", _like("网拍规定 art. 10；民法典 art. 410, 436"), "contract"),
    deposit_min=Term(500, "bp", _like("网拍规定 art. 17"), "contract"),
    deposit_max=Term(2_000, "bp", _like("网拍规定 art. 17"), "contract"),
    creditor_waiver=_flag(True, _like("网拍规定 art. 17"), "contract"),
    increment_multiple=_flag(True, f"{_OWN_RULE}（加价幅度或其整数倍）", "contract"),
    extension_window=Term(300, "seconds", _like("网拍规定 art. 20"), "contract"),
    extension_length=Term(300, "seconds", _like("网拍规定 art. 20"), "contract"),
    priority_right=_flag(True, "民法典 art. 305, 847, 859, 860；" + _like("网拍规定 art. 21"), "contract"),
    may_not_bid=(*texts.AGREED_BARRED, *texts.DEFAULTER_BARRED_BY_RULE),
    seller_may_bid=_flag(False, f"{_OWN_RULE}（处置方及其关联方不得竞买）", "contract"),
    default_order=Term(
        ("costs", "shortfall", "case_debt", "related_debt", "held"),
        "codes",
        _like("网拍规定 art. 24"),
        "contract",
    ),
    default_bars_buyer=_flag(True, _like("网拍规定 art. 24"), "contract"),
    backup_promotion=_flag(True, f"{_OWN_RULE}（候补买受人）", "contract"),
    backup_deposit_kept=_flag(True, f"{_OWN_RULE}（候补买受人保证金留存至余款付清）", "contract"),
    balance_days=Term(15, "days", f"{_OWN_RULE}（公告载明）", "contract"),
    refund_hours=Term(24, "hours", _like("网拍规定 art. 23"), "contract"),
    parties_notified_days=Term(3, "days", _like("网拍规定 art. 16"), "contract"),
    price_basis_months=Term(12, "months", _like("参考价规定 art. 27"), "contract"),
    price_basis_grace_months=Term(6, "months", _like("参考价规定 art. 27"), "contract"),
    licence_required=_flag(False, "拍卖法 art. 11, 14（不以“拍卖”名义）", "law"),
    identity_published=_flag(True, _like("网拍规定 art. 22"), "contract"),
    records_kept_years=Term(3, "years", "电子商务法 art. 31", "law"),
    warnings=texts.warnings(_like("网拍规定 art. 14"), "contract", identity_published=True),
    notice_items=texts.notice_items(_like("网拍规定 art. 12, 13"), "contract"),
    documents=texts.documents(("违约通知", "质权实现协议或者自行拍卖变卖约定", "质权登记证明"), judicial=False),
)

COMMERCIAL = replace(
    PLEDGEE_AGREED,
    code="commercial",
    path="G",
    name_zh="商业拍卖（拍卖企业）",
    name_en="Licensed commercial auction",
    reserve_mode="secret",
    rounds=(
        Round(
            "first",
            "拍卖",
            "Auction",
            "english_priority",
            Term("floor", "codes", "拍卖法 art. 28（委托人确定保留价）", "law"),
            _notice(7, "拍卖法 art. 45", "law"),
            None,
            None,
            None,
            None,
        ),
    ),
    start_floor=None,
    deposit_min=None,
    deposit_max=None,
    creditor_waiver=_flag(False, "委托拍卖合同", "contract"),
    extension_window=Term(300, "seconds", "拍卖规则", "contract"),
    extension_length=Term(300, "seconds", "拍卖规则", "contract"),
    increment_multiple=_flag(True, "拍卖规则", "contract"),
    may_not_bid=texts.COMMERCIAL_BARRED,
    seller_may_bid=_flag(False, "拍卖法 art. 30", "law"),
    default_order=Term(("commissions", "shortfall", "refund"), "codes", "拍卖法 art. 39", "law"),
    default_bars_buyer=_flag(False, "拍卖规则", "contract"),
    balance_days=Term(15, "days", "拍卖规则（公告载明）", "practice"),
    refund_hours=Term(24, "hours", "拍卖规则", "contract"),
    parties_notified_days=None,
    licence_required=_flag(True, "拍卖法 art. 11, 14, 60", "law"),
    identity_published=_flag(False, "拍卖法 art. 21", "law"),
    records_kept_years=Term(5, "years", "拍卖法 art. 54", "law"),
    warnings=texts.warnings("拍卖规则", "contract", identity_published=False),
    notice_items=texts.notice_items("拍卖规则", "contract"),
    documents=texts.documents(("委托拍卖合同",), judicial=False, record="拍卖笔录"),
)

_SOE = "32号令；国资发产权规〔2025〕17号"
_SOE_NOTICE = (
    NoticeBand(100 * WAN, Term(10, "workdays", _SOE, "practice")),  # lower bound of the band is unconfirmed
    NoticeBand(1_000 * WAN, Term(10, "workdays", _SOE, "law")),
    NoticeBand(None, Term(20, "workdays", _SOE, "law")),
)
STATE_OWNED = replace(
    PLEDGEE_AGREED,
    code="state_owned",
    path="F",
    name_zh="国有资产转让（产权交易机构）",
    name_en="State-owned seller (through an exchange)",
    rounds=(
        Round(
            "first",
            "首次公开转让",
            "First public transfer",
            "english_priority",
            Term("floor", "codes", _SOE, "law"),
            _SOE_NOTICE,
            None,
            None,
            None,
            None,
        ),
        Round(
            "second",
            "降价公开转让",
            "Public transfer at a lower price",
            "english_priority",
            Term("reduced", "codes", _SOE, "law"),
            _SOE_NOTICE,
            None,
            None,
            None,
            None,
        ),
    ),
    start_floor=Term(10_000, "bp", _SOE, "law"),
    approval_floor=Term(9_000, "bp", _SOE, "law"),
    deposit_min=None,
    deposit_max=Term(3_000, "bp", _SOE, "practice"),
    creditor_waiver=_flag(False, _SOE, "practice"),
    balance_days=Term(5, "workdays", _SOE, "law"),
    parties_notified_days=None,
    licence_required=_flag(False, "企业国有资产法 art. 54（产权交易机构）", "law"),
    documents=texts.documents(("内部决策文件", "评估备案表", "产权交易委托"), judicial=False),
)

_PLAN = "管理人变价方案（企业破产法 art. 111–112）；参照网拍规定"
BANKRUPTCY = replace(
    JUDICIAL_ONLINE,
    code="bankruptcy",
    path="E",
    name_zh="破产财产处置",
    name_en="Bankruptcy sale",
    rounds=_ladder("guideline", lambda article: f"{_PLAN}（{article}）"),
    start_floor=Term(7_000, "bp", _PLAN, "guideline"),
    deposit_min=Term(500, "bp", _PLAN, "guideline"),
    deposit_max=Term(2_000, "bp", _PLAN, "guideline"),
    creditor_waiver=_flag(False, _PLAN, "contract"),
    extension_window=Term(300, "seconds", _PLAN, "contract"),
    extension_length=Term(300, "seconds", _PLAN, "contract"),
    priority_right=_flag(True, "民法典 art. 305, 847, 859, 860", "law"),
    may_not_bid=(*texts.AGREED_BARRED, *texts.DEFAULTER_BARRED_BY_RULE),
    seller_may_bid=_flag(False, _PLAN, "contract"),
    default_order=Term(("costs", "shortfall", "case_debt", "related_debt", "held"), "codes", _PLAN, "contract"),
    default_bars_buyer=_flag(True, _PLAN, "contract"),
    backup_promotion=_flag(False, _PLAN, "contract"),
    balance_days=Term(15, "days", _PLAN, "practice"),
    refund_hours=Term(24, "hours", _PLAN, "contract"),
    parties_notified_days=Term(3, "days", _PLAN, "guideline"),
    price_basis_months=Term(12, "months", _PLAN, "guideline"),
    price_basis_grace_months=Term(6, "months", _PLAN, "guideline"),
    licence_required=_flag(False, _PLAN, "contract"),
    identity_published=_flag(True, _PLAN, "contract"),
    records_kept_years=Term(3, "years", "电子商务法 art. 31", "law"),
    warnings=texts.warnings(_PLAN, "contract", identity_published=True),
    notice_items=texts.notice_items(_PLAN, "contract"),
    documents=texts.documents(("破产裁定书", "变价方案", "债权人会议决议"), judicial=False),
)


def sandbox(clock_rate: int = 1440) -> Profile:
    """`pledgee_agreed` on an accelerated clock, marked as sandbox.

    One legal day lasts one minute at 1440. Periods that come before the opening only warn, so that a
    rehearsal may open at once, and its next round whenever people have the time.
    """
    waived = []
    for item in PLEDGEE_AGREED.rounds:
        within = item.within_days_of_failure
        waived.append(
            replace(
                item,
                notice=tuple(NoticeBand(b.upto_minor, replace(b.days, force="guideline")) for b in item.notice),
                within_days_of_failure=replace(within, force="guideline") if within else None,
            )
        )
    return replace(
        PLEDGEE_AGREED,
        code="sandbox",
        name_zh="沙盒演练（加速时钟，非真实处置）",
        name_en="Sandbox rehearsal (accelerated clock, not a real sale)",
        sandbox=True,
        clock_rate=clock_rate,
        clock_floor_seconds=10,
        rounds=tuple(waived),
        parties_notified_days=Term(3, "days", f"{_OWN_RULE}（沙盒）", "guideline"),
    )


SANDBOX = sandbox()
PROFILES: dict[str, Profile] = {
    profile.code: profile for profile in (PLEDGEE_AGREED, JUDICIAL_ONLINE, COMMERCIAL, STATE_OWNED, BANKRUPTCY, SANDBOX)
}


def get_profile(code: str) -> Profile:
    """The current version of a profile; KeyError when there is none of that code."""
    return PROFILES[code]
