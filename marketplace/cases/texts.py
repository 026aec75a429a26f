"""What users read about cases: names of states, paths, documents and fields, and the text of each finding."""

from __future__ import annotations

from typing import Any

from marketplace.cases.rules.check import Finding
from marketplace.core.errors import Problem
from marketplace.core.i18n import _l
from marketplace.core.money import format_minor

STATES = {
    "draft": _l("草稿"),
    "submitted": _l("待复核"),
    "approved": _l("已复核"),
    "listed": _l("已挂牌"),
    "closed": _l("已结案"),
    "withdrawn": _l("已撤回"),
}
TONES = {
    "draft": "neutral",
    "submitted": "warn",
    "approved": "good",
    "listed": "live",
    "closed": "good",
    "withdrawn": "bad",
}
PATHS = {
    "agreed_sale": _l("约定自行拍卖、变卖"),
    "agreed_discount": _l("协议折价"),
    "security_enforcement": _l("实现担保物权程序"),
    "judicial": _l("法院网络司法拍卖"),
    "bankruptcy": _l("破产财产变价"),
    "state_owned": _l("国有资产转让"),
    "commercial": _l("拍卖企业拍卖"),
}
PATH_EXPLAINED = {
    "agreed_sale": _l(
        "合同约定债务人违约时质权人可以自行拍卖、变卖质物并优先受偿。由银行出让，价格应参照市场价格。请写明约定的条款。"
    ),
    "agreed_discount": _l(
        "银行与出质人协议以质物折价抵债，价格应参照市场价格；损害其他债权人的，其他债权人可以请求法院撤销。"
        "出质时约定到期即归银行所有的，不因此取得所有权。请写明协议。"
    ),
    "security_enforcement": _l(
        "银行向质押登记地法院申请实现担保物权，没有实质争议的，法院裁定准许拍卖、变卖；部分有争议的，"
        "只就无争议的部分裁定。请写明裁定书文号。"
    ),
    "judicial": _l("法院在执行中拍卖，价格、保证金和加价幅度由法院确定。请写明执行案号。"),
    "bankruptcy": _l(
        "由破产管理人变价，除债权人会议另有决议外应当拍卖；知识产权可以单独变价，银行对质物优先受偿。请写明破产案号。"
    ),
    "state_owned": _l("出让方是国有企业或国有单位，应通过依法设立的产权交易机构进行。"),
    "commercial": _l("委托有拍卖许可证的拍卖企业，由注册拍卖师主持。"),
}
VALUATION_BASES = {
    "external_report": _l("评估机构报告"),
    "bank_internal": _l("银行内部评估"),
    "bank_enterprise_agreed": _l("银企协商"),
    "portfolio_overall": _l("知识产权整体评价"),
}
STAGES = {
    "loan": _l("贷款与质押"),
    "default": _l("违约与处置依据"),
    "valuation": _l("价值依据"),
    "other": _l("其他"),
}
DOCUMENTS = {
    "loan_contract": _l("借款合同"),
    "pledge_contract": _l("质押合同或担保条款"),
    "pledge_notice": _l("质押登记通知书"),
    "pledge_application": _l("质押登记申请表"),
    "identity_proof": _l("身份证明或承诺书"),
    "power_of_attorney": _l("委托书"),
    "co_owner_consent": _l("共有人同意书"),
    "register_extract": _l("登记簿副本"),
    "certificate": _l("权利证书"),
    "fee_receipt": _l("年费缴纳凭证"),
    "patent_evaluation": _l("专利权评价报告"),
    "claim_statement": _l("债权计算书"),
    "default_notice": _l("违约或到期通知"),
    "realisation_agreement": _l("质权实现协议或自行拍卖、变卖的约定"),
    "security_application": _l("实现担保物权申请书"),
    "condition_proof": _l("实现条件成就的证明"),
    "property_statement": _l("财产现状说明"),
    "sale_ruling": _l("准许拍卖、变卖裁定书"),
    "enforcement_ruling": _l("执行裁定书"),
    "assistance_notice": _l("协助执行通知书"),
    "consignment_contract": _l("委托拍卖合同"),
    "valuation_report": _l("资产评估报告"),
    "price_basis": _l("定价依据"),
    "guarantee_payment": _l("担保代偿证明"),
    "insurance_settlement": _l("保险理赔单"),
    "recovery_record": _l("追偿记录"),
    "other": _l("其他材料"),
}
FIELDS = {
    "reference": _l("案件编号"),
    "debtor_name": _l("债务人"),
    "debtor_uscc": _l("债务人统一社会信用代码"),
    "region_code": _l("行政区划代码"),
    "industry": _l("行业代码"),
    "currency": _l("币种"),
    "loan_contract_no": _l("借款合同号"),
    "loan_principal": _l("贷款本金"),
    "loan_start": _l("贷款起始日"),
    "loan_due": _l("贷款到期日"),
    "default_date": _l("违约日"),
    "claim_date": _l("债权计算日"),
    "claim_principal": _l("债权本金"),
    "claim_interest": _l("债权利息"),
    "claim_penalty": _l("违约金、罚息"),
    "legal_path": _l("处置路径"),
    "path_basis": _l("处置依据"),
    "valuation_basis": _l("价值依据"),
    "valuation": _l("价值"),
    "valuation_date": _l("价值基准日"),
    "valuer": _l("评估机构或评定人"),
    "notes": _l("备注"),
    "rights": _l("质押权利"),
    "documents": _l("材料"),
    "pledge_no": _l("质押登记号"),
    "pledge_date": _l("质押登记日"),
    "rank": _l("顺位"),
}
FINDINGS = {
    "required": _l("请填写%(label)s"),
    "case_dates": _l("%(later)s早于%(earlier)s"),
    "date_in_future": _l("%(label)s在今天之后"),
    "loan_zero": _l("贷款本金应大于零"),
    "claim_above_loan": _l("债权本金高于贷款本金，请核对"),
    "claim_zero": _l("请填写债权本金、利息或违约金"),
    "own_valuation_limit": _l("单笔贷款超过 %(limit)s 的，价值不能由银行内部评估或银企协商确定"),
    "valuation_old": _l("价值基准日已过一年，价格依据可能失效，请重新评估"),
    "right_not_pledgeable": _l("%(right)s：这类权利不能质押"),
    "pledge_date_missing": _l("%(right)s：质权自登记时设立，请填写质押登记日"),
    "pledge_no_missing": _l("%(right)s：没有质押登记号"),
    "pledge_after_default": _l("%(right)s：质押登记日晚于违约日，请核对"),
    "loan_beyond_term": _l("%(right)s：贷款到期日晚于权利的保护期"),
    "right_in_other_case": _l("%(right)s：已列入本行的另一在办案件（%(cases)s），同一权利不能处置两次"),
    "rights_missing": _l("请至少列入一项质押权利"),
    "path_basis_missing": _l("请写明处置依据，如合同条款、裁定书文号或案号"),
    "document_missing": _l("缺少材料：%(document)s"),
    "pledge_no_format": _l("质押登记号的格式不常见，请与通知书核对"),
}


def message(finding: Finding) -> tuple[Any, dict[str, Any]]:
    """The text of a finding and its params, with fields and documents named in the reader's language."""
    params = dict(finding.params)
    if finding.at:
        params["label"] = str(FIELDS.get(finding.at, finding.at))
    for name in ("earlier", "later"):
        if name in params:
            params[name] = str(FIELDS[params[name]])
    if "document" in params:
        params["document"] = str(DOCUMENTS[params["document"]])
    if "limit_minor" in params:
        params["limit"] = format_minor(params["limit_minor"])
    return FINDINGS[finding.code], params


def problem(finding: Finding) -> Problem:
    """The finding as a refusal's problem, at its form field, its text already with its params."""
    text, params = message(finding)
    return Problem(finding.code, str(text) % params, finding.at, finding.params, finding.source or None)


#: What happened to a case, for its history.
EVENTS = {
    "case.created": _l("录入草稿"),
    "case.edited": _l("修改"),
    "case.right_added": _l("列入权利"),
    "case.right_edited": _l("修改质押登记"),
    "case.right_removed": _l("移除权利"),
    "document.kept": _l("上传材料"),
    "document.removed": _l("移除材料"),
    "document.visibility": _l("改变材料的公开范围"),
    "case.submitted": _l("提交复核"),
    "approval.requested.case.approve": _l("等待第二名成员"),
    "approval.approved.case.approve": _l("第二名成员同意"),
    "approval.refused.case.approve": _l("第二名成员退回"),
    "case.approved": _l("案件复核通过"),
    "case.returned": _l("退回草稿"),
    "case.withdrawn": _l("撤回案件"),
    "case.listed": _l("案件挂牌"),
    "case.closed": _l("结案"),
}


def names(fields: list[str]) -> str:
    """Fields of a case by their names, for the history."""
    return "、".join(str(FIELDS.get(name.removesuffix("_minor"), name)) for name in fields)
