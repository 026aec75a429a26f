"""The checklists of the profiles: special warnings, notice contents, documents, and who may not bid."""

from __future__ import annotations

from .findings import Finding, Force
from .profiles import Item, Profile, StageDocuments


def _items(source: str, force: Force, *pairs: tuple[str, str]) -> tuple[Item, ...]:
    return tuple(Item(code, text, source, force) for code, text in pairs)


_WARNINGS = (
    ("capacity", "竞买人应当具备完全民事行为能力；法律、行政法规对买受人资格有要求的，应当符合该要求。"),
    ("agent", "委托他人代为竞买的，应当在竞价开始前办理委托手续并经确认。"),
    ("defects", "标的物的已知瑕疵和权利负担已在公告中列明，请仔细阅读。"),
    ("as_is", "标的物以现状为准，竞买人可以申请查看、查询。"),
    ("accepts_defects", "参与竞买即视为对标的物的现状及已知、未知瑕疵予以接受。"),
    ("identity_published", "成交后，买受人的真实身份将在成交确认书中公示。"),
    ("deposit_forfeit", "买受人悔拍的，交纳的保证金不予退还。"),
)


def warnings(source: str, force: Force, *, identity_published: bool) -> tuple[Item, ...]:
    """The special warnings (特别提示); the one on identity only where the buyer's name is published."""
    pairs = [p for p in _WARNINGS if identity_published or p[0] != "identity_published"]
    return _items(source, force, *pairs)


def notice_items(source: str, force: Force) -> tuple[Item, ...]:
    """What the notice (竞买公告) and its same-day annexes must contain."""
    return _items(
        source,
        force,
        ("property", "标的物：权利名称、号码、权利人"),
        ("price", "起拍价、加价幅度"),
        ("deposit", "保证金数额、支付方式和账户"),
        ("bidder_conditions", "竞买人条件"),
        ("known_defects", "标的物已知瑕疵和权利负担"),
        ("related_rights", "相关权利义务：占有使用、许可、附随义务"),
        ("liability", "法律责任"),
        ("time", "竞价时间和期限"),
        ("platform", "网络平台"),
        ("seller", "处置方（法院、质权人、管理人或者委托人）"),
        ("basis_document", "处置依据：执行文书、质押合同或者委托合同"),
        ("price_basis", "评估报告副本或者定价依据"),
        ("bidding_rules", "竞价规则：加价、延时、成交"),
        ("title_media", "权属、使用状况的文字、图片或者视频说明"),
        ("priority_holders", "优先购买权人和权利性质"),
        ("notification_status", "对当事人和优先购买权人的通知情况"),
        ("balance", "余款支付期限、方式和账户"),
        ("taxes", "税费及其负担"),
        ("contact", "联系方式和监督方式"),
    )


JUDICIAL_BARRED = _items(
    "网拍规定 art. 34",
    "law",
    ("court", "实施处置的法院及其工作人员"),
    ("platform", "网络服务提供者及其工作人员"),
    ("auxiliary", "承担辅助工作的单位及其工作人员"),
    ("close_relative", "上述人员的近亲属"),
)
AGREED_BARRED = _items(
    "平台规则（参照网拍规定 art. 34）",
    "contract",
    ("platform", "网络服务提供者及其工作人员"),
    ("auxiliary", "承担辅助工作的单位及其工作人员"),
    ("close_relative", "上述人员的近亲属"),
)
COMMERCIAL_BARRED = (
    *_items("拍卖法 art. 22", "law", ("auctioneer", "拍卖人及其工作人员")),
    *_items("拍卖法 art. 30", "law", ("consignor", "委托人，以及委托人委托代为竞买的人")),
)
DEFAULTER_BARRED = _items("网拍规定 art. 24", "law", ("defaulted_buyer", "悔拍的原买受人（不得参加本标的重新处置）"))
DEFAULTER_BARRED_BY_RULE = _items(
    "平台规则（参照网拍规定 art. 24）",
    "contract",
    ("defaulted_buyer", "悔拍的原买受人（不得参加本标的重新处置）"),
)

_PLEDGE = (
    "借款合同",
    "质押合同",
    "质押登记通知书",
    "身份证明或者承诺书",
    "专利登记簿副本",
    "年费缴纳凭证",
)
_SALE = (
    "竞买公告",
    "竞买须知",
    "特别提示确认",
    "标的物状况说明",
    "评估报告副本或者定价依据",
)
_AFTER_AGREED = ("成交确认书", "价款缴纳凭证", "转让合同", "质押登记注销材料")
_AFTER_JUDICIAL = ("成交确认书", "价款缴纳凭证", "成交裁定书", "协助执行通知书")


def documents(basis: tuple[str, ...], *, judicial: bool, record: str = "竞价记录") -> tuple[StageDocuments, ...]:
    """The documents by stage; `basis` is what entitles this seller to sell on this path."""
    after = _AFTER_JUDICIAL if judicial else _AFTER_AGREED
    return (
        StageDocuments("pledge", _PLEDGE),
        StageDocuments("disposal_basis", basis),
        StageDocuments("sale", _SALE),
        StageDocuments("bidding", ("保证金缴纳凭证", "优先购买权证明", "竞买委托书")),
        StageDocuments("completion", (*after, record)),
        StageDocuments("failed", ("流拍公告",)),
        StageDocuments("default", ("悔拍通知",)),
    )


def check_checklists(profile: Profile, warned: set[str], noticed: set[str]) -> list[Finding]:
    """Findings for each special warning and notice item not ticked; all must be there to publish."""
    found = []
    for items, ticked, code, name in (
        (profile.warnings, warned, "warning_missing", "warnings"),
        (profile.notice_items, noticed, "notice_item_missing", "notice_items"),
    ):
        for item in items:
            if item.code not in ticked:
                severity = "refuse" if item.force in ("law", "contract") else "warn"
                params = {"item": item.code, "text": item.text_zh}
                found.append(Finding(code, severity, name, params, item.source, item.force))  # type: ignore[arg-type]
    return found
