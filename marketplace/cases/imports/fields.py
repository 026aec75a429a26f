"""What an import can fill: one row a field, with the names banks give its column.

Labels are the headers of the template. ``names`` are compared after width, case, spaces and units in brackets
are taken away.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from marketplace.cases import texts
from marketplace.cases.models import LEGAL_PATHS, VALUATION_BASES
from marketplace.core.i18n import _l
from marketplace.rights.rules.kinds import KINDS

AUTO = "auto"  # the kind is read off the number


@dataclass(frozen=True)
class Field:
    """``type`` names its converter; ``limit`` is the longest text; ``example`` stands in the template."""

    name: str
    label: Any
    type: str = "text"
    required: bool = False
    names: tuple[str, ...] = ()
    limit: int = 200
    example: str = ""
    hint: Any = ""


def _f(name: str, label: Any, type: str = "text", names: str = "", **more: Any) -> Field:
    return Field(name, label, type, names=tuple(names.split()), **more)


_CASE_LINK = (
    _f(
        "pledge_no",
        texts.FIELDS["pledge_no"],
        names="质押登记号 质押登记编号 质押合同登记号 pledge_no pledgenumber",
        limit=60,
        example="Y2022420000123",
    ),
    _f(
        "pledge_date",
        texts.FIELDS["pledge_date"],
        "date",
        "质押登记日 质押登记日期 质押登记时间 pledge_date",
        example="2022-05-18",
    ),
    _f("rank", texts.FIELDS["rank"], "rank", "顺位 质押顺位 rank", example="1"),
)

RIGHT_FIELDS = (
    _f(
        "number",
        _l("权利号码"),
        names="权利号码 号码 专利号 申请号 专利申请号 申请专利号 登记号 注册号 商标注册号 证书号 "
        "品种权号 编号 权利编号 number patentno patentnumber applicationno registrationno id",
        required=True,
        example="ZL 2020 1 0123456.2",
        hint=_l("任何常见写法均可，会核对校验位"),
    ),
    _f(
        "kind",
        _l("权利类型"),
        "kind",
        "权利类型 类型 专利类型 种类 知识产权类型 权利种类 kind type righttype patenttype",
        example="发明专利",
        hint=_l("不填时按号码判断"),
    ),
    _f(
        "title",
        _l("名称"),
        names="名称 标题 权利名称 专利名称 发明名称 商标名称 软件名称 作品名称 品种名称 title name titlezh namezh",
        required=True,
        limit=1000,
        example="一种驱鸟保护装置",
    ),
    _f("title_en", _l("英文名称"), names="英文名称 英文标题 titleen nameen englishtitle", limit=1000),
    _f("abstract", _l("摘要"), names="摘要 简介 说明 abstract abstractzh description", limit=30_000),
    _f("abstract_en", _l("英文摘要"), names="英文摘要 abstracten", limit=30_000),
    _f(
        "publication_no",
        _l("公开（公告）号"),
        names="公开号 公告号 公开公告号 授权公告号 publicationno publicationnumber pubno",
        limit=60,
        example="CN111504366B",
    ),
    _f(
        "holder_name",
        _l("权利人"),
        names="权利人 专利权人 申请人 著作权人 注册人 出质人 所有人 holder owner applicant assignee patentee",
        limit=300,
        example="武汉某科技有限公司",
    ),
    _f(
        "holder_uscc",
        _l("权利人统一社会信用代码"),
        "uscc",
        "权利人统一社会信用代码 统一社会信用代码 信用代码 权利人代码 holderuscc uscc",
    ),
    _f("co_owners", _l("共有人"), "list", "共有人 共同权利人 coowners"),
    _f(
        "filing_date", _l("申请日"), "date", "申请日 申请日期 申请时间 filingdate applicationdate", example="2020-03-27"
    ),
    _f(
        "grant_date",
        _l("授权日"),
        "date",
        "授权日 授权日期 授权公告日 公告日 grantdate issuedate",
        example="2022-03-27",
    ),
    _f(
        "registration_date",
        _l("注册（登记）日"),
        "date",
        "注册日 注册日期 登记日 登记日期 注册登记日 核准注册日 registrationdate",
    ),
    _f("first_publication", _l("首次发表日"), "date", "首次发表日 首次发表日期 firstpublication"),
    _f("completion_date", _l("完成日"), "date", "完成日 开发完成日 创作完成日 开发完成日期 completiondate"),
    _f("renewed_until", _l("续展至"), "date", "续展至 续展有效期 专用权期限截止 reneweduntil"),
    _f("ipc", _l("IPC 分类"), "list", "ipc ipc分类 ipc分类号 分类号 主分类号 国际专利分类 cpc ipcsubclasses"),
    _f("nice", _l("商品和服务类别"), "list", "尼斯分类 商品类别 国际分类 商品和服务类别 类别 nice niceclass"),
    _f("industry", _l("行业代码"), names="行业代码 行业 国民经济行业 industry", limit=20),
    _f("region_code", _l("行政区划代码"), names="行政区划代码 行政区划 地区代码 regioncode", limit=12),
    _f("fee_reduction", _l("费用减缴比例"), "percent", "费用减缴比例 减缴比例 费减比例 feereduction", example="85%"),
    _f(
        "fees_paid_through",
        _l("年费已缴至第几年"),
        "count",
        "年费已缴至第几年 年费缴至 已缴年度 年费年度 feespaidthrough",
        example="5",
    ),
    _f(
        "case_reference",
        texts.FIELDS["reference"],
        names="案件编号 案号 案件号 贷款编号 casereference caseno",
        limit=100,
        hint=_l("填写后，此权利列入该编号的草稿案件"),
    ),
    *_CASE_LINK,
)

_T = texts.FIELDS
CASE_FIELDS = (
    _f(
        "reference",
        _T["reference"],
        names="案件编号 案号 案件号 编号 业务编号 贷款编号 借据号 reference caseno id",
        required=True,
        limit=100,
        example="BL-2026-001",
    ),
    _f(
        "debtor_name",
        _T["debtor_name"],
        names="债务人 借款人 债务人名称 借款人名称 客户名称 企业名称 debtor debtorname borrower",
        required=True,
        limit=300,
        example="武汉某科技有限公司",
    ),
    _f(
        "debtor_uscc",
        _T["debtor_uscc"],
        "uscc",
        "债务人统一社会信用代码 统一社会信用代码 信用代码 社会信用代码 debtoruscc uscc",
    ),
    _f(
        "loan_contract_no",
        _T["loan_contract_no"],
        names="借款合同号 合同号 借款合同编号 合同编号 loancontractno contractno",
    ),
    _f(
        "loan_principal",
        _T["loan_principal"],
        "amount",
        "贷款本金 贷款金额 借款金额 借款本金 合同金额 loanprincipal loanamount",
        required=True,
        example="5,000,000.00",
    ),
    _f("currency", _T["currency"], "currency", "币种 currency", example="CNY"),
    _f(
        "loan_start",
        _T["loan_start"],
        "date",
        "贷款起始日 起息日 放款日 放款日期 借款日期 loanstart",
        example="2023-01-10",
    ),
    _f("loan_due", _T["loan_due"], "date", "贷款到期日 到期日 到期日期 loandue maturity", example="2026-01-09"),
    _f(
        "default_date",
        _T["default_date"],
        "date",
        "违约日 违约日期 逾期日 逾期起始日 defaultdate",
        example="2026-01-10",
    ),
    _f("claim_date", _T["claim_date"], "date", "债权计算日 计算基准日 债权基准日 claimdate", example="2026-06-30"),
    _f(
        "claim_principal",
        _T["claim_principal"],
        "amount",
        "债权本金 剩余本金 本金余额 未偿本金 claimprincipal",
        example="4,200,000.00",
    ),
    _f(
        "claim_interest",
        _T["claim_interest"],
        "amount",
        "债权利息 利息 欠息 利息余额 claiminterest",
        example="180,000.00",
    ),
    _f(
        "claim_penalty",
        _T["claim_penalty"],
        "amount",
        "违约金 罚息 违约金罚息 复利罚息 claimpenalty",
        example="20,000.00",
    ),
    _f("legal_path", _T["legal_path"], "path", "处置路径 处置方式 法律路径 legalpath", example="约定自行拍卖、变卖"),
    _f(
        "path_basis",
        _T["path_basis"],
        names="处置依据 依据 合同条款 裁定书文号 pathbasis",
        limit=1000,
        example="质押合同第 12 条",
    ),
    _f(
        "valuation_basis",
        _T["valuation_basis"],
        "basis",
        "价值依据 估值方式 评估方式 valuationbasis",
        example="评估机构报告",
    ),
    _f("valuation", _T["valuation"], "amount", "价值 评估价值 评估值 估值 评估价 valuation", example="6,000,000.00"),
    _f(
        "valuation_date",
        _T["valuation_date"],
        "date",
        "价值基准日 评估基准日 评估日期 valuationdate",
        example="2026-03-31",
    ),
    _f("valuer", _T["valuer"], names="评估机构或评定人 评估机构 评定人 valuer", limit=300),
    _f("industry", _T["industry"], names="行业代码 行业 国民经济行业 industry", limit=20),
    _f("region_code", _T["region_code"], names="行政区划代码 行政区划 地区代码 regioncode", limit=12),
    _f("notes", _T["notes"], names="备注 说明 notes remark remarks", limit=5000),
    _f(
        "right_numbers",
        _l("质押权利号码"),
        "list",
        "质押权利号码 权利号码 专利号 质物号码 质押专利号 rightnumbers",
        limit=5000,
        example="ZL202010123456.2；2020SR0109251",
        hint=_l("多个号码用分号隔开；权利须已登记或先行导入"),
    ),
    *_CASE_LINK,
)

TARGETS: dict[str, tuple[Field, ...]] = {"rights": RIGHT_FIELDS, "cases": CASE_FIELDS}


def fields_of(target: str) -> dict[str, Field]:
    return {field.name: field for field in TARGETS[target]}


def _choices(*tables: Mapping[str, tuple[str, ...]]) -> dict[str, str]:
    return {word.casefold(): code for table in tables for code, words in table.items() for word in words}


#: What people write for a kind of right; the codes of public record collections too.
_KIND_WORDS: dict[str, tuple[str, ...]] = {
    "invention_patent": ("发明", "发明授权", "授权发明", "invention", "patent", "invention_grant", "reissue"),
    "utility_model": ("实用新型", "新型", "utility model"),
    "design_patent": ("外观设计", "外观", "design"),
    "patent_application": (
        "发明申请",
        "专利申请",
        "申请中",
        "发明公开",
        "invention_application",
        "licensable_technology",
    ),
    "trademark": ("商标权", "注册商标", "普通商标", "mark"),
    "software_copyright": ("软件著作权", "软著", "计算机软件", "software"),
    "copyright_work": ("著作权", "版权", "作品", "copyright"),
    "ic_layout": ("集成电路布图设计", "布图设计"),
    "plant_variety": ("植物新品种", "品种权", "新品种"),
    "geographical_indication": ("地理标志产品",),
    "data_right": ("数据知识产权", "数据权", "数据"),
    "trade_secret": ("技术秘密",),
}
_KIND_NAMES = {kind.value: (kind.value, row.zh, row.en) for kind, row in KINDS.items()}
_PATH_WORDS: dict[str, tuple[str, ...]] = {
    "agreed_sale": ("约定自行拍卖、变卖", "自行拍卖", "自行变卖", "约定拍卖", "自行处置", "c"),
    "agreed_discount": ("协议折价", "折价", "以物抵债", "d"),
    "security_enforcement": ("实现担保物权程序", "实现担保物权", "特别程序", "b"),
    "judicial": ("法院网络司法拍卖", "司法拍卖", "法院执行", "强制执行", "a"),
    "bankruptcy": ("破产财产变价", "破产", "e"),
    "state_owned": ("国有资产转让", "产权交易", "f"),
    "commercial": ("拍卖企业拍卖", "商业拍卖", "委托拍卖", "g"),
}
_BASIS_WORDS: dict[str, tuple[str, ...]] = {
    "external_report": ("评估机构报告", "评估报告", "外部评估", "第三方评估"),
    "bank_internal": ("银行内部评估", "内部评估", "行内评估"),
    "bank_enterprise_agreed": ("银企协商", "协商", "协商定价", "双方协商"),
    "portfolio_overall": ("知识产权整体评价", "整体评价", "打包评价"),
}

#: Words a cell may hold → the stored code.
CHOICES: dict[str, dict[str, str]] = {
    "kind": _choices(_KIND_WORDS, _KIND_NAMES) | {AUTO: AUTO, "自动": AUTO, "按号码": AUTO},
    "path": _choices(_PATH_WORDS, {code: (code,) for code in LEGAL_PATHS}),
    "basis": _choices(_BASIS_WORDS, {code: (code,) for code in VALUATION_BASES}),
}

#: What stands in when a column is missing, unless the bank chooses otherwise.
DEFAULTS: dict[str, dict[str, str]] = {"rights": {"kind": AUTO}, "cases": {"legal_path": "agreed_sale"}}
