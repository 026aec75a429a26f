"""The Chinese texts of the rule profiles, named here so that each gets its English; ``say`` gives the reader's.

The Chinese text is the binding one: it stands in the notice, and its hash is what a bidder accepts.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from marketplace.auctions.rules.findings import Term
from marketplace.auctions.rules.profiles import Profile, span
from marketplace.core.i18n import _, _l
from marketplace.core.lengths import length_words

TEXTS: tuple[Any, ...] = (
    # special warnings
    _l("竞买人应当具备完全民事行为能力；法律、行政法规对买受人资格有要求的，应当符合该要求。"),
    _l("委托他人代为竞买的，应当在竞价开始前办理委托手续并经确认。"),
    _l("标的物的已知瑕疵和权利负担已在公告中列明，请仔细阅读。"),
    _l("标的物以现状为准，竞买人可以申请查看、查询。"),
    _l("参与竞买即视为对标的物的现状及已知、未知瑕疵予以接受。"),
    _l("成交后，买受人的真实身份将在成交确认书中公示。"),
    _l("买受人悔拍的，交纳的保证金不予退还。"),
    # contents of the notice
    _l("标的物：权利名称、号码、权利人"),
    _l("起拍价、加价幅度"),
    _l("保证金数额、支付方式和账户"),
    _l("竞买人条件"),
    _l("标的物已知瑕疵和权利负担"),
    _l("相关权利义务：占有使用、许可、附随义务"),
    _l("法律责任"),
    _l("竞价时间和期限"),
    _l("网络平台"),
    _l("处置方（法院、质权人、管理人或者委托人）"),
    _l("处置依据：执行文书、质押合同或者委托合同"),
    _l("评估报告副本或者定价依据"),
    _l("竞价规则：加价、延时、成交"),
    _l("权属、使用状况的文字、图片或者视频说明"),
    _l("优先购买权人和权利性质"),
    _l("对当事人和优先购买权人的通知情况"),
    _l("余款支付期限、方式和账户"),
    _l("税费及其负担"),
    _l("联系方式和监督方式"),
    # who may not bid
    _l("实施处置的法院及其工作人员"),
    _l("网络服务提供者及其工作人员"),
    _l("承担辅助工作的单位及其工作人员"),
    _l("上述人员的近亲属"),
    _l("拍卖人及其工作人员"),
    _l("委托人，以及委托人委托代为竞买的人"),
    _l("悔拍的原买受人（不得参加本标的重新处置）"),
    # documents that complete a sale
    _l("成交确认书"),
    _l("价款缴纳凭证"),
    _l("转让合同"),
    _l("质押登记注销材料"),
    _l("成交裁定书"),
    _l("协助执行通知书"),
    _l("竞价记录"),
    _l("拍卖笔录"),
)


def say(text: str) -> str:
    """A profile's text in the reader's language; one that is not known here stays Chinese."""
    return str(_(text))


def length(term: Term, profile: Profile) -> str:
    """How long a period of the rules really is here: in a sandbox the scaled length, with the real sale's beside it."""
    real = _("%(n)s 个工作日", n=term.value) if term.unit == "workdays" else length_words(span(term, _real(profile)))
    if profile.clock_rate == 1:
        return real
    return _("%(length)s（实际场次为 %(real)s）", length=length_words(span(term, profile)), real=real)


def balance_length(days: int, profile: Profile) -> str:
    """The same of a lot's own period for the balance, in the profile's days."""
    return length(replace(profile.balance_days, value=days), profile)


def _real(profile: Profile) -> Profile:
    return replace(profile, clock_rate=1)
