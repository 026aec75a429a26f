"""A bank's statement file read into credits: CSV, XLSX (headers as Chinese banks name them) and camt.053 XML.

Pure: no database. Debits are counted and passed over; each bad row is named by row, column and code.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from marketplace.cases.reading.content import read_table
from marketplace.cases.reading.csvs import encoding_of
from marketplace.cases.reading.dates import DateRefused, parse_date
from marketplace.cases.reading.table import FileRefused
from marketplace.core.money import MoneyRefused, parse_minor

MAX_BYTES = 10 * 1024 * 1024
MAX_ROWS = 20_000
MAX_FAULTS = 500
PREAMBLE = 30  # rows above the header in which banks write account and period

#: what each column is called by the banks, folded (see ``_folded``)
COLUMNS: dict[str, tuple[str, ...]] = {
    "booked_on": ("交易日期", "记账日期", "入账日期", "交易时间", "记账日", "交易日", "日期", "bookingdate", "date"),
    "credit": (
        "贷方金额",
        "贷方发生额",
        "贷方发生额/元收入",
        "收入金额",
        "收入",
        "贷方",
        "存入金额",
        "credit",
        "creditamount",
    ),
    "debit": ("借方金额", "借方发生额", "借方发生额/元支取", "支出金额", "支出", "借方", "支取金额", "debit"),
    "amount": ("交易金额", "发生额", "金额", "amount"),
    "direction": ("借贷标志", "借贷方向", "借贷", "收支标志", "收支", "收/支", "direction"),
    "payer_name": (
        "对方户名",
        "对方账户名称",
        "对方名称",
        "对方单位名称",
        "对方单位",
        "付款人名称",
        "付款方户名",
        "付款方名称",
        "payer",
        "payername",
    ),
    "payer_account": ("对方账号", "对方帐号", "对方账户", "付款人账号", "付款方账号", "payeraccount"),
    "payer_bank": ("对方开户行", "对方行名", "对方开户机构", "对方银行", "付款人开户行", "付款方开户行", "payerbank"),
    "bank_ref": (
        "交易流水号",
        "流水号",
        "业务流水号",
        "核心流水号",
        "银行流水号",
        "交易流水",
        "交易序号",
        "参考号",
        "reference",
        "bankreference",
    ),
    "currency": ("币种", "货币", "currency"),
}
MEMO = ("摘要", "附言", "用途", "备注", "交易附言", "交易摘要", "交易用途", "客户附言", "memo", "remark")
CURRENCIES = {"": "CNY", "人民币": "CNY", "人民币元": "CNY", "rmb": "CNY", "cny": "CNY", "156": "CNY"}
CREDIT_SIGNS, DEBIT_SIGNS = (
    ("贷", "收入", "收", "c", "cr", "crdt", "credit"),
    ("借", "支出", "支", "付", "d", "dr", "dbit"),
)


@dataclass(frozen=True)
class Credit:
    """One credit. ``amount_minor`` > 0; ``row`` as the spreadsheet counts (camt: the entry's place)."""

    row: int
    bank_ref: str
    booked_on: date
    amount_minor: int
    currency: str
    payer_name: str
    payer_account: str
    payer_bank: str
    memo: str


@dataclass(frozen=True)
class Fault:
    """``code`` of texts.FAULTS; ``column`` is the file's own title, empty for the whole row."""

    row: int
    column: str
    code: str
    value: str = ""

    def as_json(self) -> dict[str, Any]:
        return {"row": self.row, "column": self.column, "code": self.code, "value": self.value[:200]}


@dataclass
class Statement:
    credits: list[Credit] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    debits: int = 0
    rows: int = 0


class StatementRefused(ValueError):
    """The whole file cannot be taken; ``code`` of texts.REFUSALS or the table reader's."""

    def __init__(self, code: str, **params: Any) -> None:
        super().__init__(code)
        self.code, self.params = code, params


def read_statement(content: bytes, filename: str, today: date) -> Statement:
    """The credits of a statement. Refuses ``file_*`` and ``columns_missing`` (StatementRefused).

    A number that the file gives twice with the same content counts once; with other content it is a fault.
    """
    if len(content) > MAX_BYTES:
        raise StatementRefused("file_too_large", max=MAX_BYTES // 1024 // 1024)
    try:
        if content.lstrip(b"\xef\xbb\xbf \r\n\t").startswith((b"<?xml", b"<Document")):
            found = _read_camt(content)
        else:
            found = _read_rows(content, filename)
    except FileRefused as refused:
        raise StatementRefused(refused.code, **refused.params) from None
    return _checked(found, today)


def _checked(found: Statement, today: date) -> Statement:
    seen: dict[str, Credit] = {}
    kept = []
    for credit in found.credits:
        first = seen.setdefault(credit.bank_ref, credit)
        if credit.booked_on > today + timedelta(days=1):
            found.faults.append(Fault(credit.row, "", "date_future", credit.booked_on.isoformat()))
        elif first is credit:
            kept.append(credit)
        elif _content(first) != _content(credit):
            found.faults.append(Fault(credit.row, "", "ref_repeated", credit.bank_ref))
    found.credits = kept
    found.faults = found.faults[:MAX_FAULTS]
    return found


def _content(credit: Credit) -> tuple[object, ...]:
    return (credit.booked_on, credit.amount_minor, credit.currency, credit.payer_account, credit.memo)


def _folded(title: str) -> str:
    """Without spaces, brackets with units, and case: ``贷方金额（元）`` → ``贷方金额``."""
    text = unicodedata.normalize("NFKC", title).casefold()
    text = re.sub(r"\((元|人民币|cny|人民币元)\)", "", text)
    return re.sub(r"[\s_()（）\[\]【】*:：]+", "", text)


def _roles(header: list[str]) -> tuple[dict[str, int], list[int]]:
    """Which column is what; the first title that fits wins."""
    folded = [_folded(title) for title in header]
    roles = {}
    for role, names in COLUMNS.items():
        places = [folded.index(name) for name in names if name in folded]
        if places:
            roles[role] = places[0]
    return roles, [place for place, name in enumerate(folded) if name in MEMO]


def _read_rows(content: bytes, filename: str) -> Statement:
    table = read_table(_without_preamble(content), filename)
    roles, memo = _roles(table.header)
    missing = [
        role
        for role, there in (
            ("booked_on", "booked_on" in roles),
            ("credit", "credit" in roles or ("amount" in roles and "direction" in roles)),
            ("bank_ref", "bank_ref" in roles),
        )
        if not there
    ]
    if missing:
        raise StatementRefused("columns_missing", missing=missing, found=table.header[:20])
    statement = Statement()
    for row in table.rows:
        statement.rows += 1
        if statement.rows > MAX_ROWS:
            raise StatementRefused("file_too_many_rows", max=MAX_ROWS)
        if row.problem:
            statement.faults.append(Fault(row.no, "", row.problem))
            continue
        _read_row(statement, row.no, table.header, row.cells, roles, memo)
    return statement


def _without_preamble(content: bytes) -> bytes:
    """A CSV whose header stands below some lines about account and period: those lines become blank, so that row
    numbers stay as they are. Anything else as it came."""
    if content.startswith(b"PK") or b"\x00" in content[:64]:
        return content
    try:
        encoding = encoding_of(content)
        lines = content.decode(encoding).split("\n")
    except (UnicodeDecodeError, FileRefused):
        return content
    for place, line in enumerate(lines[:PREAMBLE]):
        roles, _memo = _roles([cell.strip().strip('"') for cell in re.split(r"[,\t;|]", line)])
        if "bank_ref" in roles and "booked_on" in roles:
            if place == 0:
                return content
            return "\n".join([""] * place + lines[place:]).encode("utf-8")
    return content


def _read_row(
    statement: Statement, no: int, header: list[str], cells: list[str], roles: dict[str, int], memo: list[int]
) -> None:
    faults: list[Fault] = []

    def cell(role: str) -> str:
        return _plain(cells[roles[role]]) if role in roles else ""

    def bad(role: str, code: str) -> None:
        faults.append(Fault(no, header[roles[role]], code, cells[roles[role]]))

    money_role, is_debit = _side(cell, roles)
    if is_debit:
        statement.debits += 1
        return
    if money_role == "direction":
        bad("direction", "direction_unknown")
        money_role = "amount"
    amount, booked_on = 0, date.min
    try:
        if not cell(money_role):
            bad(money_role, "amount_missing")
        else:
            amount = parse_minor(cell(money_role))
            if amount == 0:
                bad(money_role, "amount_missing")
    except MoneyRefused as refused:
        bad(money_role, refused.code)
    try:
        booked_on = parse_date(cell("booked_on"))
    except DateRefused as refused:
        bad("booked_on", refused.code)
    if not cell("bank_ref"):
        bad("bank_ref", "ref_missing")
    elif _rounded(cell("bank_ref")):
        bad("bank_ref", "number_rounded")
    if "payer_account" in roles and _rounded(cell("payer_account")):
        bad("payer_account", "number_rounded")
    currency = CURRENCIES.get(cell("currency").casefold())
    if currency is None:
        bad("currency", "currency_unknown")
    if faults or currency is None:
        statement.faults += faults
        return
    texts = [_plain(cells[place]) for place in memo]
    statement.credits.append(
        Credit(
            no,
            cell("bank_ref"),
            booked_on,
            amount,
            currency,
            cell("payer_name"),
            re.sub(r"\s+", "", cell("payer_account")),
            cell("payer_bank"),
            " ".join(dict.fromkeys(text for text in texts if text)),
        )
    )


def _side(cell: Any, roles: dict[str, int]) -> tuple[str, bool]:
    """The column with the money, and whether the row is a debit."""
    if "credit" in roles:
        if _empty(cell("credit")) and not _empty(cell("debit")):
            return "debit", True
        return "credit", False
    sign = cell("direction").casefold()
    if sign in DEBIT_SIGNS:
        return "amount", True
    return ("amount" if sign in CREDIT_SIGNS else "direction"), False


def _empty(text: str) -> bool:
    return not text.strip("-—0.,¥￥ ")


def _plain(text: str) -> str:
    """Full width folded; ``="6222…"`` (the writing that keeps a spreadsheet from rounding) opened; no controls."""
    line = unicodedata.normalize("NFKC", text).strip()
    opened = re.fullmatch(r'="([^"]*)"', line)
    line = (opened.group(1) if opened else line).strip("\t' ")
    return " ".join("".join(sign if sign.isprintable() else " " for sign in line).split())


def _rounded(text: str) -> bool:
    """``6.22202E+18``: the spreadsheet has lost digits."""
    return re.fullmatch(r"\d\.\d+[eE]\+?\d+|\d[eE]\+\d+", text) is not None


def _read_camt(content: bytes) -> Statement:
    """Entries (``Ntry``) of a camt.053 document of any version. An entry that bundles several payments gives one
    credit for each."""
    try:
        root = fromstring(content, forbid_dtd=True)
    except DefusedXmlException:
        raise StatementRefused("file_bomb") from None
    except (ParseError, ValueError):
        raise StatementRefused("file_damaged") from None
    entries = [node for node in root.iter() if _name(node) == "Ntry"]
    if not any(_name(node) == "BkToCstmrStmt" for node in root.iter()):
        raise StatementRefused("file_type")
    statement = Statement()
    for no, entry in enumerate(entries, start=1):
        statement.rows += 1
        if statement.rows > MAX_ROWS:
            raise StatementRefused("file_too_many_rows", max=MAX_ROWS)
        if _text(entry, "CdtDbtInd") != "CRDT":
            statement.debits += 1
            continue
        payments = [node for node in entry.iter() if _name(node) == "TxDtls"]
        ref = _text(entry, "AcctSvcrRef") or _text(entry, "NtryRef")
        if len(payments) < 2:
            _read_entry(statement, no, entry, payments[0] if payments else entry, ref)
            continue
        for place, payment in enumerate(payments, start=1):
            own = _text(payment, "Refs", "AcctSvcrRef") or (f"{ref}/{place}" if ref else "")
            _read_entry(statement, no, entry, payment, own, bundled=True)
    return statement


def _read_entry(
    statement: Statement, no: int, entry: Element, payment: Element, ref: str, bundled: bool = False
) -> None:
    money = _find(payment, "AmtDtls", "TxAmt", "Amt")
    if money is None:
        money = _find(payment, "Amt")
    if money is None and not bundled:
        money = _find(entry, "Amt")
    faults, amount, booked_on = [], 0, date.min
    raw = (money.text or "").strip() if money is not None else ""
    try:
        amount = parse_minor(raw) if raw else 0
        if not amount:
            faults.append(Fault(no, "Amt", "amount_missing", raw))
    except MoneyRefused as refused:
        faults.append(Fault(no, "Amt", refused.code, raw))
    day = _text(entry, "BookgDt", "Dt") or _text(entry, "BookgDt", "DtTm") or _text(entry, "ValDt", "Dt")
    try:
        booked_on = parse_date(day[:10])
    except DateRefused as refused:
        faults.append(Fault(no, "BookgDt", refused.code, day))
    if not ref:
        faults.append(Fault(no, "AcctSvcrRef", "ref_missing"))
    currency = (money.get("Ccy") or "CNY") if money is not None else "CNY"
    if currency != "CNY":
        faults.append(Fault(no, "Ccy", "currency_unknown", currency))
    if faults:
        statement.faults += faults
        return
    parties = "RltdPties"
    name = _text(payment, parties, "Dbtr", "Nm") or _text(payment, parties, "Dbtr", "Pty", "Nm")
    account = _text(payment, parties, "DbtrAcct", "Id", "Othr", "Id") or _text(
        payment, parties, "DbtrAcct", "Id", "IBAN"
    )
    bank = _text(payment, "RltdAgts", "DbtrAgt", "FinInstnId", "Nm")
    notes = [(node.text or "").strip() for node in payment.iter() if _name(node) in ("Ustrd", "AddtlTxInf")]
    notes += [_text(entry, "AddtlNtryInf")]
    statement.credits.append(
        Credit(
            no, _plain(ref), booked_on, amount, currency, _plain(name), account, _plain(bank),
            _plain(" ".join(dict.fromkeys(note for note in notes if note))),
        )
    )  # fmt: skip


def _name(node: Element) -> str:
    return node.tag.rpartition("}")[2] if isinstance(node.tag, str) else ""


def _children(node: Element, name: str) -> Iterator[Element]:
    return (child for child in node if _name(child) == name)


def _find(node: Element, *path: str) -> Element | None:
    for name in path:
        found = next(_children(node, name), None)
        if found is None:
            return None
        node = found
    return node


def _text(node: Element, *path: str) -> str:
    found = _find(node, *path)
    return "" if found is None else (found.text or "").strip()
