"""What users read about offers: names of states, steps and fields, and the text of each finding."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from marketplace.auctions.rule_words import say
from marketplace.auctions.rules.findings import Finding
from marketplace.core.clock import SHANGHAI
from marketplace.core.errors import Problem
from marketplace.core.i18n import _, _l
from marketplace.core.money import format_minor

STATES = {
    "draft": _l("草稿"),
    "submitted": _l("待平台审核"),
    "reviewed": _l("待发布"),
    "published": _l("已发布"),
    "suspended": _l("暂缓"),
    "withdrawn": _l("已撤回"),
    "closed": _l("已结束"),
}
#: In front of the second banker a draft can no longer be edited: the same words as for a case.
IN_REVIEW = (_l("待复核"), "warn")
SALE_STATES = {
    "scheduled": _l("即将开始"),
    "running": _l("竞价中"),
    "suspended": _l("暂缓"),
    "withdrawn": _l("已撤回"),
    "sold": _l("成交"),
    "unsold": _l("流拍"),
}
TONES = {
    "draft": "neutral",
    "submitted": "warn",
    "reviewed": "warn",
    "published": "info",
    "scheduled": "info",
    "running": "live",
    "suspended": "warn",
    "withdrawn": "bad",
    "closed": "neutral",
    "sold": "good",
    "unsold": "neutral",
}
CHANNELS = {"auction": _l("拍卖"), "storage": _l("收储回购"), "licence": _l("二次许可")}
PROFILES = {
    "judicial_online": _l("网络司法拍卖"),
    "pledgee_agreed": _l("质权人约定处置（网络竞价）"),
    "commercial": _l("商业拍卖（拍卖企业）"),
    "state_owned": _l("国有资产转让（产权交易机构）"),
    "bankruptcy": _l("破产财产处置"),
    "sandbox": _l("沙盒演练（加速时钟，非真实处置）"),
}
BASES = {
    "external_report": _l("评估机构报告"),
    "bank_internal": _l("银行内部评估"),
    "bank_enterprise_agreed": _l("银企协商"),
    "portfolio_overall": _l("知识产权整体评价"),
}
FIELDS = {
    "title": _l("标题"),
    "summary": _l("标的物说明"),
    "known_defects": _l("已知瑕疵"),
    "taxes_and_fees": _l("税费及其负担"),
    "inspection": _l("查看和查询"),
    "handover": _l("交付和权利变更"),
    "contact": _l("联系方式和监督方式"),
    "start_minor": _l("起拍价"),
    "increment_minor": _l("加价幅度"),
    "deposit_minor": _l("保证金"),
    "balance_days": _l("余款支付期限"),
    "opens_at": _l("竞价开始时间"),
    "ends_at": _l("竞价结束时间"),
}
DOCUMENTS = {
    "valuation_report": _l("评估报告副本"),
    "price_basis": _l("定价依据"),
    "bidder_instructions": _l("竞买须知"),
    "property_statement": _l("标的物状况说明"),
    "register_extract": _l("登记簿副本"),
    "certificate": _l("权利证书"),
    "fee_receipt": _l("年费缴纳凭证"),
    "sale_basis": _l("处置依据文件"),
    "other": _l("其他材料"),
}
CAPACITIES = {
    "bidder": _l("竞买人"),
    "co_owner": _l("共有人"),
    "creditor": _l("债权人"),
    "debtor": _l("债务人或出质人"),
    "third_party": _l("其他利害关系人"),
}
GROUNDS = {
    "ownership": _l("权属有争议"),
    "burden": _l("有未公告的权利负担"),
    "description": _l("公告内容与事实不符"),
    "price": _l("定价依据有误"),
    "procedure": _l("程序不合规则"),
    "priority": _l("优先购买权未获保护"),
    "other": _l("其他"),
}
OBJECTION_STATES = {
    "filed": _l("已提交，待处理"),
    "under_review": _l("审查中"),
    "rejected": _l("不成立"),
    "upheld": _l("成立"),
}
REVIEW_ITEMS = {
    "title_checked": _l("权利、权利人和号码与登记簿副本一致"),
    "burdens_checked": _l("质押、保全、许可等负担已全部列明"),
    "consents_checked": _l("质权人、共有人的书面同意齐全"),
    "price_checked": _l("定价依据真实，起拍价、保证金、加价幅度符合规则"),
    "notice_checked": _l("公告内容完整，没有误导"),
    "parties_checked": _l("当事人和优先购买权人的通知情况已核对"),
}
ROUND_REVIEW_ITEMS = {
    "terms_checked": _l("起拍价、加价幅度、保证金和时间符合规则，降价幅度无误"),
    "rights_checked": _l("权利仍然有效，负担自上一轮以来的变化已列明"),
    "parties_checked": _l("本轮对当事人和优先购买权人的通知情况已核对"),
    "notice_checked": _l("本轮公告内容完整，没有误导"),
}
ROUND_STATES = {
    "draft": _l("草稿"),
    "submitted": _l("待平台审核"),
    "reviewed": _l("待发布"),
    "published": _l("已发布"),
    "dropped": _l("已放弃"),
}
RUNGS = {
    "first": _l("第一次竞价"),
    "second": _l("第二次竞价"),
    "sell_off": _l("变卖"),
}
TIMELINE = {
    "parties_notified": _l("通知当事人和优先购买权人（最晚）"),
    "notice_published": _l("发布公告"),
    "notice_satisfied": _l("公告期满，最早可开始竞价"),
    "opens": _l("竞价开始"),
    "closes": _l("竞价结束（可延时）"),
    "deposit_refund": _l("退还未成交者保证金（最晚）"),
    "winner_deposit_transfer": _l("划转买受人保证金（最晚）"),
    "balance": _l("支付余款（最晚）"),
    "reauction_latest": _l("流拍后再次处置（最晚）"),
    "price_basis_expires": _l("定价依据有效期满"),
    "records_kept": _l("竞价记录保存期满"),
}
FINDINGS = {
    "organisation_not_verified": _l("机构尚未通过核验"),
    "case_not_approved": _l("案件尚未经第二人复核"),
    "rights_missing": _l("请至少选择一项权利"),
    "right_blocked": _l("%(right)s：%(text)s"),
    "right_offered_elsewhere": _l("%(right)s：已在另一挂牌中（%(offers)s），同一权利不能同时处置两次"),
    "text_missing": _l("请填写%(label)s"),
    "term_missing": _l("请填写%(label)s"),
    "valuation_basis_missing": _l("请选择价值依据"),
    "balance_days_range": _l("余款支付期限应为 1 至 365 天"),
    "price_document_missing": _l("缺少评估报告副本或定价依据文件"),
    "warning_missing": _l("特别提示未确认：%(text)s"),
    "notice_item_missing": _l("公告缺少：%(text)s"),
    "licence_missing": _l("以“拍卖”名义处置的，须填写拍卖许可证号"),
    "auctioneer_missing": _l("以“拍卖”名义处置的，须填写主持拍卖师"),
    "amount_not_positive": _l("金额应大于零"),
    "appraisal_missing": _l("请填写评估价或市场价"),
    "start_below_floor": _l("起拍价低于下限 %(minimum)s（评估价的 %(percent)s）"),
    "reduction_too_large": _l("降价过多，起拍价不得低于 %(minimum)s"),
    "approval_needed": _l("起拍价低于 %(minimum)s，须有书面批准"),
    "deposit_too_low": _l("保证金低于下限 %(minimum)s"),
    "deposit_too_high": _l("保证金高于上限 %(maximum)s"),
    "increment_above_guideline": _l("加价幅度高于通常口径 %(maximum)s"),
    "opens_before_publication": _l("竞价开始时间早于公告时间"),
    "ends_not_after_opens": _l("竞价结束时间应晚于开始时间"),
    "duration_too_short": _l("竞价时间过短，至少 %(length)s"),
    "notice_too_short": _l("公告期不足 %(days)s 日，现在发布的，最早可于 %(earliest)s 开始竞价"),
    "notice_too_short.sandbox": _l("沙盒不受公告期约束，到时即可开始竞价；按同样规则的真实处置须公告至少 %(days)s 日"),
    "holidays_unknown": _l(
        "%(year)s 年的放假安排尚未载入，工作日暂按周一至周五计算；遇节假日的，公告期会更长，请留出余量"
    ),
    "parties_notified_late": _l("当事人和优先购买权人应在公告发布至少 %(days)s 日前得到通知"),
    "parties_notified_late.sandbox": _l(
        "沙盒不受通知期限约束；真实处置的当事人和优先购买权人应在公告发布至少 %(days)s 日前得到通知"
    ),
    "valuation_basis_unknown": _l("没有这种价值依据"),
    "loan_principal_missing": _l("案件缺少贷款本金，不能采用这种价值依据"),
    "internal_valuation_over_cap": _l("贷款本金超过 %(maximum)s 的，不能由银行内部评估或银企协商确定价值"),
    "price_basis_expired": _l("定价依据已于 %(expired)s 过期，请重新评估"),
    "price_basis_too_old_for_sale": _l("定价依据过旧，竞价须在 %(latest)s 前结束"),
    "round_unknown": _l("规则中没有这一轮次"),
    "previous_start_missing": _l("缺少上一轮的起拍价"),
    "start_above_previous": _l("起拍价高于上一轮的 %(previous)s"),
    "sell_off_price_differs": _l("变卖价应为 %(required)s"),
    "deposit_not_full_price": _l("变卖须预交全部价款 %(required)s"),
    "previous_end_missing": _l("缺少上一轮的结束时间"),
    "opens_before_previous_end": _l("竞价开始时间早于上一轮结束时间"),
    "reauction_too_late": _l("流拍后 %(days)s 日内应当再次竞价，竞价开始时间过晚"),
    "reauction_too_late.sandbox": _l("沙盒不受再次竞价期限约束；真实处置应在流拍后 %(days)s 日内再次竞价"),
    "parties_not_notified": _l("请填写就本轮通知当事人和优先购买权人的时间，应在公告发布至少 %(days)s 日前"),
    "parties_notified_in_future": _l("通知时间不能晚于现在"),
    "valuation_date_in_future": _l("价值基准日晚于竞价结束"),
}


def standing(state: str, waiting: object = None) -> tuple[Any, str]:
    """What a badge says of an offer, and its tone. ``waiting``: the open approval that holds a draft."""
    return IN_REVIEW if state == "draft" and waiting else (STATES[state], TONES[state])


def round_standing(state: str, waiting: object = None) -> Any:
    """The same of a further round."""
    return IN_REVIEW[0] if state == "draft" and waiting else ROUND_STATES[state]


def _day_or_moment(value: str) -> str:
    if "T" not in value:
        return value
    return datetime.fromisoformat(value).astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M:%S")


def _length(seconds: int) -> str:
    return _("%(n)s 小时", n=seconds // 3600) if seconds >= 3600 else _("%(n)s 秒", n=seconds)


def message_of(finding: Finding, currency: str = "CNY") -> str:
    """The finding in the reader's language; the stable code where no text is known."""
    template = FINDINGS.get(finding.code)
    if finding.params.get("sandbox"):
        template = FINDINGS.get(f"{finding.code}.sandbox", template)
    if template is None:
        return finding.code
    params: dict[str, Any] = dict(finding.params)
    for name in ("minimum", "maximum", "required", "previous"):
        if params.get(f"{name}_minor") is not None:
            params[name] = format_minor(params[f"{name}_minor"], currency)
    if "percent_bp" in params:
        params["percent"] = f"{params['percent_bp'] / 100:g}%"
    if "minimum_seconds" in params:
        params["length"] = _length(params["minimum_seconds"])
    if "earliest" in params:
        params["earliest"] = _day_or_moment(str(params["earliest"]))
    if finding.code in ("warning_missing", "notice_item_missing"):
        params["text"] = say(str(params["text"]))
    if "field" in params:
        params["label"] = str(FIELDS.get(params["field"], params["field"]))
    return str(template) % params


def problem_of(finding: Finding, currency: str = "CNY") -> Problem:
    return Problem(
        finding.code, message_of(finding, currency), finding.field, dict(finding.params), finding.source or None
    )
