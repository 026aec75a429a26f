"""Codes of the money room in words."""

from __future__ import annotations

from typing import Any

from marketplace.cases.reading.table import REFUSALS as TABLE_REFUSALS
from marketplace.core.i18n import _, _l
from marketplace.core.money import format_minor
from marketplace.money.queries import AtStake

#: The columns that a statement must have.
COLUMNS = {"booked_on": _l("交易日期"), "credit": _l("贷方金额"), "bank_ref": _l("交易流水号")}
REFUSALS = {
    "columns_missing": _l("缺少列：%(missing)s。文件中的列：%(found)s"),
    "file_type": _l("不能识别此文件，请上传网银导出的 CSV、XLSX 或 camt.053 XML 流水"),
    "file_empty": _l("文件是空的"),
    "file_no_rows": _l("文件只有标题行，没有数据"),
    "file_name_mismatch": _l("文件的内容不是 %(expected)s，请核对后重新上传"),
    "file_xls": _l("不支持旧版 XLS 或加密的工作簿，请另存为不加密的 XLSX"),
    "file_macros": _l("不接受带宏的工作簿，请另存为不带宏的 XLSX"),
    "file_damaged": _l("文件已损坏，无法读取"),
    "file_bomb": _l("文件解开后过大或含有外部实体，不予处理"),
    "file_encrypted": _l("不支持加密的文件"),
    "file_no_sheet": _l("工作簿中没有数据表"),
    "file_encoding": _l("不能识别文字编码，请另存为 UTF-8 或 GB18030"),
    "file_nul": _l("文件中有空字符（NUL），不是文本文件"),
    "file_quotes": _l("第 %(row)s 行的引号没有配对，或单元格过长"),
    "file_too_large": _l("文件过大：最多 %(max)s MB"),
    "file_too_many_rows": _l("行数过多：最多 %(max)s 行，请拆分后上传"),
    "file_too_many_columns": _l("列数过多：最多 %(max)s 列"),
    "header_duplicate": _l("有两列的标题都是“%(name)s”，请改名后重新上传"),
}
FAULTS = {
    "row_too_many_cells": _l("单元格多于标题行的列数"),
    "cell_too_long": _l("单元格过长"),
    "amount_missing": _l("没有金额"),
    "money_format": _l("不是金额"),
    "money_decimals": _l("金额的小数多于两位"),
    "money_too_large": _l("金额过大"),
    "money_negative": _l("金额为负（冲正请人工处理）"),
    "date_format": _l("不是日期"),
    "date_ambiguous": _l("日期的月与日无法分辨"),
    "date_range": _l("日期超出范围"),
    "date_future": _l("日期在将来"),
    "ref_missing": _l("没有交易流水号"),
    "ref_repeated": _l("同一流水号在文件中出现两次而内容不同"),
    "ref_differs": _l("该流水号此前已导入，但金额或日期不同"),
    "number_rounded": _l("长数字被表格软件改成了科学记数，请以文本格式重新导出"),
    "currency_unknown": _l("不支持的币种"),
    "direction_unknown": _l("不能识别借贷方向"),
}
DOUBTS = {
    "no_reference": _l("附言中没有缴款编号"),
    "reference_unknown": _l("附言中的缴款编号不存在"),
    "two_references": _l("附言中有多个缴款编号"),
    "amount_under": _l("金额少于应缴"),
    "amount_over": _l("金额多于应缴，多出部分将退回"),
    "other_payer": _l("付款人不是该机构"),
    "account_missing": _l("流水未写明付款账号"),
    "other_currency": _l("币种不同"),
    "receivable_closed": _l("该笔款项已缴清或已取消，来款将退回"),
}
LINE_STATES = {
    "open": _l("待处理"),
    "waiting": _l("待复核"),
    "confirmed": _l("已确认"),
    "returned": _l("退回"),
}
DEPOSIT_STATES = {
    "due": _l("待缴纳"),
    "held": _l("已到账"),
    "waived": _l("免交"),
    "release_due": _l("待退还"),
    "ordered": _l("退款处理中"),
    "released": _l("已退还"),
    "applied": _l("已抵作价款"),
    "forfeited": _l("已没收"),
    "cancelled": _l("已取消"),
}
DEPOSIT_TONES = {
    "due": "warn",
    "held": "good",
    "waived": "good",
    "release_due": "info",
    "ordered": "info",
    "released": "neutral",
    "applied": "good",
    "forfeited": "bad",
    "cancelled": "neutral",
}
PAYOUT_PURPOSES = {
    "deposit_release": _l("退还保证金"),
    "line_return": _l("退回来款"),
    "balance_return": _l("退还余款"),
    "proceeds": _l("支付处置价款"),
}
PAYOUT_STATES = {"due": _l("待付"), "ordered": _l("已列入付款单"), "paid": _l("已付"), "cancelled": _l("已取消")}
ORDER_STATES = {
    "draft": _l("待复核"),
    "approved": _l("待导出"),
    "exported": _l("待银行结果"),
    "confirmed": _l("已完成"),
    "cancelled": _l("已取消"),
}
ORDER_TONES = {"draft": "warn", "approved": "warn", "exported": "info", "confirmed": "good", "cancelled": "neutral"}
ITEM_STATES = {"open": _l("待付"), "paid": _l("已付"), "failed": _l("银行退回"), "cancelled": _l("已取消")}
RECEIVABLE_PURPOSES = {"deposit": _l("保证金"), "balance": _l("余款")}
MATCHES = {"exact": _l("完全相符"), "doubtful": _l("存疑"), "none": _l("未识别")}
MATCH_TONES = {"exact": "good", "doubtful": "warn", "none": "bad"}
APPROVALS = {
    "money.confirm_line": _l("确认来款"),
    "money.return_line": _l("退回来款"),
    "money.approve_order": _l("批准付款单"),
    "money.confirm_order": _l("确认银行付款结果"),
}


def stake_sum(stake: AtStake) -> str:
    """``¥20,000.00``; each currency apart."""
    return " + ".join(format_minor(minor, currency) for currency, minor in sorted(stake.sums.items()))


def stake_parties(stake: AtStake, most: int = 5) -> str:
    """The payers or payees, the first few by name."""
    names = [name or str(_l("付款人不详")) for name in stake.parties]
    shown = "; ".join(names[:most])
    return shown if len(names) <= most else f"{shown} … ({len(names)})"


def refusal(code: str, params: dict[str, Any]) -> Any:
    """Why a file was refused."""
    if code == "columns_missing":
        missing = [str(COLUMNS[role]) for role in params["missing"]]
        params = {"missing": _("、").join(missing), "found": _("、").join(params["found"])}
    return (REFUSALS.get(code) or TABLE_REFUSALS[code]) % params


def doubts(note: str | None) -> list[Any]:
    """The doubts of a statement line in words."""
    return [DOUBTS[code] for code in (note or "").split()]
