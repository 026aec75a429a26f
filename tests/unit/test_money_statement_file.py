"""Bank files as banks write them, references in any writing, matches, and files that are no statement."""

from __future__ import annotations

import contextlib
import io
import zipfile
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook

from marketplace.money.matching import Expected, match
from marketplace.money.references import ALPHABET, is_reference, new_reference, references_in, spaced
from marketplace.money.statement_file import StatementRefused, read_statement

TODAY = date(2026, 11, 23)
HEAD = "交易日期,交易流水号,贷方金额,借方金额,对方户名,对方账号,摘要"


def read(text: str, encoding: str = "utf-8") -> object:
    return read_statement(text.encode(encoding), "a.csv", TODAY)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_credits_are_read_in_every_encoding_and_debits_counted(encoding: str) -> None:
    found = read(
        f'{HEAD}\n2026-11-20,A1,"1,234.50",,某公司,6222 0001,保证金\n20261121,A2,,88.00,别家,1,付款\n', encoding
    )
    assert found.debits == 1 and not found.faults
    credit = found.credits[0]
    assert (credit.amount_minor, credit.booked_on, credit.payer_account) == (123450, date(2026, 11, 20), "62220001")


@pytest.mark.parametrize(
    "head",
    [
        "记账日期,流水号,收入金额（元）,支出金额（元）,对方户名,对方账号,附言",
        "交易时间,业务流水号,贷方发生额,借方发生额,对方单位名称,对方帐号,用途",
        "入账日期,核心流水号,贷方金额(元),借方金额(元),付款人名称,付款人账号,交易附言",
    ],
)
def test_headers_of_different_banks(head: str) -> None:
    found = read(f"{head}\n2026/11/20,A1,10,,甲,1,备\n")
    assert found.credits[0].amount_minor == 1000 and found.credits[0].memo == "备"


def test_direction_column_and_lines_above_the_header() -> None:
    found = read(
        "账号：6222000000000001,户名：知流\n查询期间：20261101-20261130\n\n"
        "交易日期,交易流水号,交易金额,借贷标志,对方户名,摘要\n"
        "20261120,A1,10.00,贷,甲,x\n20261120,A2,10.00,借,甲,x\n20261120,A3,10.00,?,甲,x\n"
    )
    assert [c.bank_ref for c in found.credits] == ["A1"] and found.debits == 1
    assert [(f.row, f.column, f.code) for f in found.faults] == [(7, "借贷标志", "direction_unknown")]


@pytest.mark.parametrize(
    ("line", "column", "code"),
    [
        ("2026-11-20,A1,abc,,甲,1,x", "贷方金额", "money_format"),
        ("2026-11-20,A1,=1+1,,甲,1,x", "贷方金额", "money_format"),
        ("2026-11-20,A1,1.234,,甲,1,x", "贷方金额", "money_decimals"),
        ("2026-11-20,A1,-5,,甲,1,x", "贷方金额", "money_negative"),
        ("2026-11-20,A1,,,甲,1,x", "贷方金额", "amount_missing"),
        ("2026-11-20,A1,0.00,,甲,1,x", "贷方金额", "amount_missing"),
        ("昨天,A1,5,,甲,1,x", "交易日期", "date_format"),
        ("2027-11-20,A1,5,,甲,1,x", "", "date_future"),
        ("2026-11-20,,5,,甲,1,x", "交易流水号", "ref_missing"),
        ("2026-11-20,A1,5,,甲,6.2220E+18,x", "对方账号", "number_rounded"),
        ("2026-11-20,A1,5,,甲,1,x,多", "", "row_too_many_cells"),
    ],
)
def test_a_bad_row_is_named_and_the_good_ones_kept(line: str, column: str, code: str) -> None:
    found = read(f"{HEAD}\n2026-11-20,OK,5,,甲,1,x\n{line}\n")
    assert [c.bank_ref for c in found.credits] == ["OK"]
    assert [(f.row, f.column, f.code) for f in found.faults] == [(3, column, code)]


def test_one_number_twice_counts_once_and_differing_content_is_a_fault() -> None:
    same = "2026-11-20,A1,5,,甲,1,x"
    found = read(f"{HEAD}\n{same}\n{same}\n2026-11-20,A1,6,,甲,1,x\n")
    assert len(found.credits) == 1 and [(f.row, f.code) for f in found.faults] == [(4, "ref_repeated")]


def bomb() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "x")
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * 60_000_000)
    return out.getvalue()


ENTITIES = b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c"><!ENTITY d "&b;&b;">]><Document>&d;</Document>'


@pytest.mark.parametrize(
    ("content", "name", "code"),
    [
        (b"", "a.csv", "file_empty"),
        (b"\xef\xbb\xbf \n", "a.csv", "file_empty"),
        (HEAD.encode(), "a.csv", "file_no_rows"),
        (b"a,b\n1,2\n", "a.csv", "columns_missing"),
        (b"%PDF-1.7", "a.csv", "file_type"),
        (b"x" * (10 * 1024 * 1024 + 1), "a.csv", "file_too_large"),
        (b"PK\x03\x04nonsense", "a.xlsx", "file_damaged"),
        (bytes.fromhex("d0cf11e0a1b11ae1") + b"0" * 600, "a.xls", "file_xls"),
        (b"<?xml version='1.0'?><a/>", "a.xml", "file_type"),
        (b"<?xml version='1.0'?><Document>", "a.xml", "file_damaged"),
        (ENTITIES, "a.xml", "file_bomb"),
        (bomb(), "a.xlsx", "file_bomb"),
    ],
)
def test_what_is_no_statement_is_refused(content: bytes, name: str, code: str) -> None:
    with pytest.raises(StatementRefused) as refused:
        read_statement(content, name, TODAY)
    assert refused.value.code == code


def test_a_workbook() -> None:
    book, out = Workbook(), io.BytesIO()
    book.active.append(HEAD.split(","))
    book.active.append([date(2026, 11, 20), "A1", 1234.1, None, "甲", "6222000000000000001", "=HYPERLINK(1)"])
    book.save(out)
    book.close()
    credit = read_statement(out.getvalue(), "a.xlsx", TODAY).credits[0]
    assert (credit.amount_minor, credit.payer_account, credit.memo) == (123410, "6222000000000000001", "=HYPERLINK(1)")


CAMT = """<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt><Stmt>
<Ntry><Amt Ccy="CNY">50000.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><BookgDt><Dt>2026-11-20</Dt></BookgDt>
 <AcctSvcrRef>BR1</AcctSvcrRef><NtryDtls><TxDtls><RltdPties><Dbtr><Pty><Nm>某公司</Nm></Pty></Dbtr>
 <DbtrAcct><Id><Othr><Id>6222</Id></Othr></Id></DbtrAcct></RltdPties>
 <RmtInf><Ustrd>保证金 ZL</Ustrd></RmtInf></TxDtls></NtryDtls></Ntry>
<Ntry><Amt Ccy="CNY">1.00</Amt><CdtDbtInd>DBIT</CdtDbtInd><BookgDt><Dt>2026-11-20</Dt></BookgDt></Ntry>
<Ntry><Amt Ccy="CNY">3.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><BookgDt><Dt>2026-11-21</Dt></BookgDt>
 <AcctSvcrRef>BR2</AcctSvcrRef><NtryDtls><TxDtls><Amt Ccy="CNY">1.00</Amt></TxDtls>
 <TxDtls><Amt Ccy="CNY">2.00</Amt></TxDtls></NtryDtls></Ntry>
<Ntry><Amt Ccy="EUR">3.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><BookgDt><Dt>2026-11-21</Dt></BookgDt></Ntry>
</Stmt></BkToCstmrStmt></Document>"""


def test_camt_053() -> None:
    found = read_statement(CAMT.encode(), "a.xml", TODAY)
    assert [(c.bank_ref, c.amount_minor) for c in found.credits] == [("BR1", 5_000_000), ("BR2/1", 100), ("BR2/2", 200)]
    assert (found.credits[0].payer_name, found.credits[0].payer_account) == ("某公司", "6222")
    assert found.debits == 1 and {f.code for f in found.faults} == {"ref_missing", "currency_unknown"}


@given(st.binary(max_size=400))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    with contextlib.suppress(StatementRefused):
        read_statement(content, "a.csv", TODAY)


def widened(text: str) -> str:
    return "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text)


@pytest.mark.parametrize(
    "writing", [str, str.lower, spaced, widened, "-".join, lambda r: f"竞买保证金{r}谢谢", "/".join]
)
def test_a_reference_is_found_in_any_writing(writing) -> None:
    reference = new_reference()
    assert references_in(writing(reference)) == [reference]


@given(st.integers(2, 9), st.sampled_from(ALPHABET))
def test_one_wrong_character_is_always_noticed(place: int, sign: str) -> None:
    reference = new_reference()
    wrong = reference[:place] + sign + reference[place + 1 :]
    assert is_reference(wrong) == (wrong == reference)


def expected(**changes: object) -> Expected:
    base = {"receivable_id": 1, "reference": "R", "currency": "CNY", "rest_minor": 100, "open": True}
    return Expected(**(base | {"names": ("某（武汉）公司", "某账户"), "account": "6222 01"} | changes))


@pytest.mark.parametrize(
    ("refs", "amount", "payer", "account", "known", "verdict", "doubts"),
    [
        (["R"], 100, "某(武汉)公司 ", "622201", [expected()], "exact", ()),
        (["R"], 100, "某账户", "6200 7", [expected()], "exact", ()),
        (["R"], 100, "某账户", "", [expected()], "doubtful", ("account_missing",)),
        (["R"], 100, "某(武汉)公司 ", " - ", [expected()], "doubtful", ("account_missing",)),
        (["R"], 100, "", "622201", [expected()], "exact", ()),
        (["R"], 100, "", "", [expected()], "doubtful", ("other_payer",)),
        (["R"], 99, "某账户", "6200", [expected()], "doubtful", ("amount_under",)),
        (["R"], 101, "别家", "622201", [expected()], "doubtful", ("amount_over", "other_payer")),
        (["R"], 100, "某账户", "6200", [expected(open=False)], "doubtful", ("receivable_closed",)),
        (["R"], 100, "某账户", "6200", [expected(currency="USD")], "doubtful", ("other_currency",)),
        (["R", "S"], 100, "某账户", "", [expected(), expected(reference="S")], "doubtful", ("two_references",)),
        (["X"], 100, "某账户", "", [expected()], "none", ("reference_unknown",)),
        ([], 100, "某账户", "", [expected()], "none", ("no_reference",)),
    ],
)
def test_matches(refs, amount, payer, account, known, verdict, doubts) -> None:
    found = match(refs, amount, "CNY", payer, account, {e.reference: e for e in known})
    assert (found.verdict, found.doubts) == (verdict, doubts)
