"""The notice (竞买公告) from the data of an offer. A Chinese document whatever the reader's language; an English
summary is a courtesy and has no legal effect."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any

from flask_babel import force_locale

from marketplace.auctions.rule_words import balance_length, length
from marketplace.auctions.rules.findings import Term
from marketplace.auctions.rules.profiles import Profile
from marketplace.core.clock import SHANGHAI
from marketplace.core.money import format_minor
from marketplace.core.sources import in_chinese

PLATFORM = "知流知识产权处置平台"
BASES_ZH = {
    "external_report": "评估机构报告",
    "bank_internal": "银行内部评估",
    "bank_enterprise_agreed": "银企协商",
    "portfolio_overall": "知识产权整体评价",
}
BASES_EN = {
    "external_report": "an external valuation report",
    "bank_internal": "the bank's internal valuation",
    "bank_enterprise_agreed": "agreement between bank and enterprise",
    "portfolio_overall": "an overall assessment of the portfolio",
}


@dataclass(frozen=True)
class NoticeData:
    """What the notice says. Amounts in minor units, moments aware; ``rights``: (name, number, holder, burdens)."""

    number: str | None
    title: str
    seller: str
    profile: Profile
    basis: str
    rights: tuple[tuple[str, str, str, tuple[str, ...]], ...]
    start_minor: int | None
    increment_minor: int | None
    deposit_minor: int | None
    balance_days: int | None
    appraisal_minor: int | None
    appraisal_date: date | None
    valuation_basis: str | None
    opens_at: datetime | None
    ends_at: datetime | None
    published_at: datetime | None
    currency: str
    texts: dict[str, str]
    bidder_conditions: str
    priority_holders: str
    parties_notified_at: datetime | None
    notification_note: str
    warned: tuple[str, ...]
    account: str
    titles_en: Mapping[str, str] = field(default_factory=dict)  # English titles by number
    qualification: str = ""  # the status a transferee must prove before the deposit
    round_no: int = 1
    round_name: str = ""  # of a further round: 第二次拍卖
    earlier: tuple[str, ...] = ()  # how the rounds before ended, a line each
    corrections: tuple[str, ...] = ()  # to the notices before


def moment(value: datetime | None) -> str:
    return "（待定）" if value is None else value.astimezone(SHANGHAI).strftime("%Y年%m月%d日 %H:%M:%S")


def amount(minor: int | None, currency: str) -> str:
    return "（待定）" if minor is None else format_minor(minor, currency)


def _length(term: Term, profile: Profile) -> str:
    """The notice is a Chinese document, whoever reads the page."""
    with force_locale("zh"):
        return length(term, profile)


def notice_text(data: NoticeData) -> str:
    """The whole notice with the special warnings, in the order of 网拍规定 arts. 12–14."""
    money = data.currency
    profile = data.profile
    lines = [
        f"竞买公告（{data.round_name}）" if data.round_name else "竞买公告",
        f"公告编号：{data.number or '（发布时编号）'}",
        "",
    ]
    if profile.sandbox:
        lines += ["【沙盒演练】本公告用于演练，时钟加速，不构成真实处置。", ""]
    lines += [
        f"{data.seller}就下列标的通过{PLATFORM}公开处置，规则：{profile.name_zh}。"
        f"处置依据：{data.basis or '（待填）'}。",
        "",
    ]
    if data.earlier:
        lines += ["此前各轮：", *(f"　　{line}" for line in data.earlier), "本公告就下一轮竞价重新确定价格和时间。", ""]
    lines.append(f"一、标的物：{data.title}")
    for place, (name, number, holder, burdens) in enumerate(data.rights, 1):
        lines.append(f"（{place}）{name}，号码 {number}，权利人 {holder or '见登记簿'}。")
        lines += [f"　　负担：{burden}。" for burden in burdens] or ["　　负担：无已知负担。"]
    lines += ["说明：" + (data.texts.get("summary") or "（待填）")]
    lines.append("二、已知瑕疵：" + (data.texts.get("known_defects") or "（待填）"))
    valued = f"，基准日 {data.appraisal_date.isoformat()}" if data.appraisal_date else ""
    lines.append(
        f"三、价格：评估价（市场价）{amount(data.appraisal_minor, money)}"
        f"（{BASES_ZH.get(data.valuation_basis or '', '（待填）')}{valued}）；"
        f"起拍价 {amount(data.start_minor, money)}；加价幅度 {amount(data.increment_minor, money)}（或其整数倍）。"
    )
    lines.append(
        f"四、保证金：{amount(data.deposit_minor, money)}，"
        f"按报名后显示的专用付款附言转账至：{data.account or '平台专户'}。"
        f"未成交的，竞价结束后 {_length(profile.refund_hours, profile)}内退还，不计利息。"
    )
    lines.append(f"五、竞价时间：{moment(data.opens_at)}至{moment(data.ends_at)}（北京时间，延时除外）。")
    lines.append(
        "六、竞价规则：出价不得低于起拍价；每次加价为加价幅度的整数倍；"
        f"结束前 {_length(profile.extension_window, profile)}内有出价的，"
        f"自该出价时点顺延 {_length(profile.extension_length, profile)}，次数不限；"
        "一人参与且出价不低于起拍价的，成交。"
        + ("优先购买权人可以以相同价格出价，没有更高出价的，由其买受。" if profile.priority_right.value else "")
    )
    lines.append("七、竞买人条件：" + (data.bidder_conditions or "（待填）"))
    if data.qualification:
        lines.append(f"　　受让资格：{data.qualification}")
        lines.append(
            "　　竞买人应当在报名前向平台提交受让资格证明，经确认后方可报名并交纳保证金；未经确认的，不得参加。"
        )
    lines += [f"　　不得参加竞买：{item.text_zh}（{in_chinese(item.source)}）。" for item in profile.may_not_bid]
    lines.append("八、优先购买权人及权利性质：" + (data.priority_holders or "（待填）"))
    told = moment(data.parties_notified_at) if data.parties_notified_at else "（待填）"
    lines.append(f"九、通知情况：已于{told}通知当事人和优先购买权人。{data.notification_note}".rstrip())
    due = "（待定）"
    if data.balance_days is not None and profile.clock_rate != 1:
        due = _length(replace(profile.balance_days, value=data.balance_days), profile)
    elif data.balance_days is not None:
        due = f"{data.balance_days} {'个工作日' if profile.balance_days.unit == 'workdays' else '日'}"
    lines.append(f"十、余款：成交之日起 {due}内付至成交确认书所载账户。保证金抵作价款。")
    lines.append("十一、税费：" + (data.texts.get("taxes_and_fees") or "（待填）"))
    lines.append("十二、交付和权利变更：" + (data.texts.get("handover") or "（待填）"))
    lines.append("十三、查看和查询：" + (data.texts.get("inspection") or "（待填）"))
    lines.append("十四、法律责任：买受人逾期不付余款的，保证金不予退还，并按本公告所载规则承担责任。")
    lines.append("十五、联系和监督：" + (data.texts.get("contact") or "（待填）"))
    if data.corrections:
        lines += ["此前的更正公告继续有效：", *(f"　　{text}" for text in data.corrections)]
    lines += ["", "特别提示"]
    told_items = [item for item in profile.warnings if item.code in data.warned]
    lines += [f"{place}. {item.text_zh}" for place, item in enumerate(told_items, 1)]
    lines += ["", data.seller, moment(data.published_at) if data.published_at else "（发布日期）"]
    return "\n".join(lines) + "\n"


def english_summary(data: NoticeData) -> list[tuple[str, Any]]:
    """The main facts in English as (label, value); the Chinese notice prevails."""
    money = data.currency
    with force_locale("en"):
        due = "—" if data.balance_days is None else balance_length(data.balance_days, data.profile)

    def when(value: datetime | None) -> str:
        return "to be fixed" if value is None else value.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M:%S (UTC+8)")

    def sum_of(minor: int | None) -> str:
        return "to be fixed" if minor is None else format_minor(minor, money)

    return [
        *([("Round", f"{data.round_no} of this listing; earlier rounds ended without a sale")] if data.earlier else []),
        ("Seller", data.seller),
        ("Rules", data.profile.name_en),
        (
            "Rights",
            "; ".join(
                f"{data.titles_en.get(number, name)}, {number}" for name, number, _holder, _burdens in data.rights
            ),
        ),
        (
            "Value",
            f"{sum_of(data.appraisal_minor)}, by {BASES_EN.get(data.valuation_basis or '', 'a basis to be stated')}",
        ),
        ("Start price", sum_of(data.start_minor)),
        ("Increment", f"{sum_of(data.increment_minor)} or a multiple"),
        ("Deposit", sum_of(data.deposit_minor)),
        ("Bidding opens", when(data.opens_at)),
        ("Bidding ends", when(data.ends_at)),
        *([("Transferees must prove", data.qualification)] if data.qualification else []),
        ("Balance due", f"{due} after the sale"),
    ]
