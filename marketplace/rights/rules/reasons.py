"""The reasons a right is healthy, doubtful or barred: one row each, with its text and its source.

`text` is the Chinese default with %(name)s params; the web layer translates the template by the same code.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Severity(StrEnum):
    """BLOCK bars publication; WARN is shown and published with the right."""

    BLOCK = "block"
    WARN = "warn"


@dataclass(frozen=True, slots=True)
class ReasonText:
    """Usual severity, Chinese template and source of one reason."""

    severity: Severity
    text: str
    source: str = ""


_B, _W = Severity.BLOCK, Severity.WARN

#: In the order a page lists them.
REASONS: dict[str, ReasonText] = {
    "invalidated": ReasonText(_B, "权利已被宣告无效", "专利法 art. 47"),
    "terminated": ReasonText(_B, "权利已终止", "专利权质押登记办法"),
    "expired": ReasonText(_B, "保护期已于 %(end)s 届满", "专利法 art. 42"),
    "not_granted": ReasonText(_B, "尚未授权，不能作为已授权的权利发布", "专利权质押登记办法"),
    "application_only": ReasonText(_W, "标的是专利申请权，可能不被授权", "专利权质押登记办法"),
    "application_not_pledgeable": ReasonText(_B, "专利申请权不能质押", "专利权质押登记办法"),
    "not_pledgeable_again": ReasonText(_B, "已质押给%(pledgee)s，质押期内不能再次质押", "专利权质押登记办法"),
    "fee_lapsed": ReasonText(
        _B,
        "第 %(year)s 年年费逾期且滞纳期已于 %(grace_end)s 届满，权利自 %(lapsed_from)s 起终止",
        "细则 art. 115",
    ),
    "fee_in_grace": ReasonText(
        _B, "第 %(year)s 年年费应于 %(due)s 前缴纳，现在滞纳期内，最晚 %(grace_end)s", "细则 art. 115"
    ),
    "fee_due_soon": ReasonText(_W, "第 %(year)s 年年费应于 %(due)s 前缴纳", "细则 art. 115"),
    "fee_unknown": ReasonText(_W, "未提供年费缴纳情况", "细则 art. 115"),
    "preserved": ReasonText(_B, "被%(court)s保全（%(case_no)s），至 %(until)s", "细则 arts. 103-105"),
    "preserved_by_selling_court": ReasonText(
        _W, "由处置法院%(court)s保全（%(case_no)s），至 %(until)s", "细则 arts. 103-105"
    ),
    "ownership_suspended": ReasonText(_B, "因权属纠纷中止程序，至 %(until)s", "细则 arts. 103-105"),
    "invalidation_pending": ReasonText(_W, "正在无效宣告程序中", "专利权质押登记办法"),
    "pledgee_consent_missing": ReasonText(_B, "已质押，缺少质权人%(pledgee)s的书面同意", "民法典 art. 444"),
    "pledged": ReasonText(_W, "已质押给%(pledgee)s，质权人已同意", "民法典 art. 444"),
    "co_owner_consent_missing": ReasonText(_B, "缺少共有人%(owner)s的书面同意", "专利法 art. 14"),
    "qualified_transferee_needed": ReasonText(
        _B,
        "%(kind)s只能转让给具备相应资格的受让人，请先限定竞买人资格",
        "集体商标、证明商标注册和管理办法 art. 16",
    ),
    "qualified_transferee_only": ReasonText(
        _W, "%(kind)s：只限具备相应资格的受让人", "集体商标、证明商标注册和管理办法 art. 16"
    ),
    "exclusive_licence": ReasonText(
        _W, "有独占许可（%(licensee)s，至 %(until)s），转让后继续有效", "技术合同解释 art. 24"
    ),
    "sole_licence": ReasonText(_W, "有排他许可（%(licensee)s，至 %(until)s），转让后继续有效", "技术合同解释 art. 24"),
    "ordinary_licence": ReasonText(
        _W, "有普通或开放许可（%(licensee)s，至 %(until)s），转让后继续有效", "技术合同解释 art. 24"
    ),
    "licence_conflict": ReasonText(
        _B, "已有独占或排他许可（%(licensee)s，至 %(until)s），不能再许可", "技术合同解释 art. 25"
    ),
    "expires_soon": ReasonText(_W, "保护期将于 %(end)s 届满，剩余 %(days)s 天"),
    "term_unknown": ReasonText(_W, "缺少日期，不能计算保护期"),
    "term_unconfirmed": ReasonText(_W, "保护期按未经核实的规则计算，请与证书核对"),
    "number_missing": ReasonText(_B, "缺少登记号码"),
    "number_unconfirmed": ReasonText(_W, "号码 %(number)s 需核对：%(warnings)s"),
}
ORDER: dict[str, int] = {code: place for place, code in enumerate(REASONS)}


@dataclass(frozen=True, slots=True)
class Reason:
    """One finding about a right: `code` of REASONS, its severity here, the params of its text, its source."""

    code: str
    severity: Severity
    params: dict[str, Any] = field(default_factory=dict, hash=False)
    source: str = ""

    @property
    def template(self) -> str:
        """The Chinese template, to be translated."""
        return REASONS[self.code].text

    @property
    def text(self) -> str:
        """The Chinese default text with its params."""
        return self.template % self.params


def reason(code: str, severity: Severity | None = None, **params: Any) -> Reason:
    """A reason with the severity and source of its row, or another severity where the case differs."""
    row = REASONS[code]
    return Reason(code, severity or row.severity, params, row.source)
