"""The pages of cases and imports, for the maker, the approver, other banks, managers and the public."""

from __future__ import annotations

import io

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from jobs import queues, tick, worker
from marketplace import Zhiliu
from marketplace.cases.models import Case, ImportRun
from marketplace.core.db import db
from marketplace.rights.models import Right
from tests.factories.cases import add_needed_documents, case_data, make_case, make_collateral, make_patent_number
from tests.factories.parties import client_for, make_actor, make_org, make_user

PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"


class Bank:
    """A bank with a maker and an approver, and a browser for each."""

    def __init__(self, app: Zhiliu, lang: str = "zh") -> None:
        self.org = make_org("bank")
        self.maker_user = make_user(self.org, ("maker",))
        self.approver_user = make_user(self.org, ("approver",))
        self.maker = client_for(app, self.maker_user, lang)
        self.approver = client_for(app, self.approver_user, lang)

    @property
    def actor(self):  # type: ignore[no-untyped-def]
        from marketplace.parties.sign_in import actor_of

        return actor_of(self.maker_user, None)


@pytest.fixture
def bank(app: Zhiliu) -> Bank:
    return Bank(app)


FORM = {
    "reference": "BL-1",
    "debtor_name": "武汉江夏测试科技有限公司",
    "loan_principal": "500万",
    "legal_path": "agreed_sale",
    "loan_start": "2023年1月10日",
    "claim_principal": "4,200,000.00",
}


def text_of(answer) -> str:  # type: ignore[no-untyped-def]
    return str(answer.get_data(as_text=True))


def test_a_bank_drafts_a_case_in_any_way_of_writing(bank: Bank) -> None:
    answer = bank.maker.post("/cases/new", data=FORM)
    assert answer.status_code == 302
    page = text_of(bank.maker.get(answer.location))
    assert "¥5,000,000.00" in page and "¥4,200,000.00" in page and "2023-01-10" in page
    assert "BL-1" in text_of(bank.maker.get("/cases"))


def test_faults_stand_at_their_fields_and_what_was_typed_stays(bank: Bank) -> None:
    typed = FORM | {
        "loan_principal": "五百万",
        "debtor_uscc": "91420100MA4K0001X",
        "default_date": "03/04/2024",
        "path_basis": "<b>条款</b>",
    }
    answer = bank.maker.post("/cases/new", data=typed)
    page = text_of(answer)
    assert answer.status_code == 422
    assert "不能识别为金额" in page and "日和月可能颠倒" in page
    assert 'value="五百万"' in page and "&lt;b&gt;条款" in page
    answer = bank.maker.post(
        "/cases/new",
        data=FORM
        | {"debtor_uscc": "91420100MA4K0001X", "loan_principal": "1001万", "valuation_basis": "bank_internal"},
    )
    page = text_of(answer)
    assert answer.status_code == 422
    assert "18 位" in page and "¥10,000,000.00" in page
    assert db.session.scalar(select(Case)) is None


def test_a_wrong_credit_code_is_told_in_the_readers_language(app: Zhiliu) -> None:
    english = Bank(app, "en").maker.post("/cases/new", data=FORM | {"debtor_uscc": "91420100MA4KXXXX0X"})
    page = text_of(english)
    assert english.status_code == 422 and "check sign" in page and "校验位" not in page


def test_the_whole_way_from_draft_to_approval_by_a_second_banker(bank: Bank) -> None:
    right = make_collateral(bank.org.id)[0]
    case = make_case(bank.actor, rights=0, documents=False)
    address = f"/cases/{case.id}"
    refused = bank.maker.post(f"{address}/submit")
    assert refused.status_code == 422 and "请至少列入一项质押权利" in text_of(refused)
    assert right.number_display in text_of(bank.maker.get(f"{address}/rights?q={right.number}"))
    added = bank.maker.post(
        f"{address}/rights/{right.id}", data={"pledge_no": "Y2022420000123", "pledge_date": "2023-01-10", "rank": "1"}
    )
    assert added.status_code == 302
    for kind in ("loan_contract", "pledge_contract", "pledge_notice", "realisation_agreement"):
        sent = bank.maker.post(
            f"{address}/documents", data={"kind": kind, "file": (io.BytesIO(PDF + kind.encode()), "a.pdf")}
        )
        assert sent.status_code == 302, text_of(sent)
    assert bank.maker.post(f"{address}/submit").status_code == 302
    assert "通过复核" not in text_of(bank.maker.get(address)), "the maker is not offered the decision"
    assert bank.maker.post(f"{address}/decide", data={"decision": "approve"}).status_code == 403
    assert "同意并通过复核" in text_of(bank.approver.get(address))
    empty = bank.approver.post(f"{address}/decide", data={"decision": "refuse"})
    assert empty.status_code == 409 and "请填写理由" in text_of(empty)
    bank.approver.post(f"{address}/decide", data={"decision": "refuse", "reason": "利息有误"})
    assert "利息有误" in text_of(bank.maker.get(address))
    assert bank.maker.post(f"{address}/submit").status_code == 302
    assert bank.approver.post(f"{address}/decide", data={"decision": "approve"}).status_code == 302
    db.session.expire_all()
    assert db.session.get_one(Case, case.id).state == "approved"
    history = text_of(bank.maker.get(f"{address}/history"))
    assert "复核通过" in history and "利息有误" in history


def test_other_banks_and_the_public_do_not_learn_of_a_case(app: Zhiliu, bank: Bank) -> None:
    case = make_case(bank.actor)
    right = make_collateral(bank.org.id)[0]
    other = Bank(app)
    for path in ("", "/edit", "/history", "/rights"):
        assert other.maker.get(f"/cases/{case.id}{path}").status_code == 404
    for path in ("/submit", "/withdraw", "/decide", f"/rights/{right.id}", "/documents"):
        answer = other.maker.post(f"/cases/{case.id}{path}", data={"kind": "other", "reason": "x"})
        assert answer.status_code == 404, path
    assert case.reference not in text_of(other.maker.get("/cases"))
    public = app.test_client()
    assert public.get(f"/cases/{case.id}").status_code in (302, 401)
    operator = client_for(app, make_user(make_org("operator")))
    assert operator.get("/cases").status_code == 403
    manager = client_for(app, make_user(make_org("platform")))
    assert manager.get(f"/cases/{case.id}").status_code == 200
    assert manager.post(f"/cases/{case.id}/withdraw", data={"reason": "x"}).status_code == 403


def test_a_foreign_right_cannot_be_put_into_a_case(app: Zhiliu, bank: Bank) -> None:
    foreign = make_collateral(make_org("bank").id)[0]
    case = make_case(bank.actor, rights=0)
    assert bank.maker.post(f"/cases/{case.id}/rights/{foreign.id}", data={}).status_code == 404


def test_withdrawing_needs_a_reason_and_shows_it(bank: Bank) -> None:
    case = make_case(bank.actor)
    assert bank.maker.post(f"/cases/{case.id}/withdraw", data={"reason": " "}).status_code == 422
    assert bank.maker.post(f"/cases/{case.id}/withdraw", data={"reason": "债务人已清偿"}).status_code == 302
    assert "债务人已清偿" in text_of(bank.maker.get(f"/cases/{case.id}"))
    assert bank.maker.get(f"/cases/{case.id}/edit").status_code == 409


def upload(client: FlaskClient, content: bytes, name: str = "权利.csv", target: str = "rights"):  # type: ignore[no-untyped-def]
    return client.post("/imports/new", data={"target": target, "file": (io.BytesIO(content), name)})


def work(app: Zhiliu) -> None:
    tick.tick(app)
    worker.work(app, queues.IMPORTS, burst=True)
    db.session.rollback()
    db.session.expire_all()


def mapping_of(run: ImportRun) -> dict[str, str]:
    return {f"column-{k}": v for k, v in run.mapping.items()} | {f"default-{k}": v for k, v in run.defaults.items()}


def test_an_import_from_upload_to_bad_rows(app: Zhiliu, bank: Bank) -> None:
    good = make_patent_number()
    rows = (
        f"专利号,名称,申请日,备注列\n{good},好的,2020年3月27日,\n"
        "202010123456.7,校验位错,2020-03-27,=cmd|' /C calc'!A0\n,没有号码,昨天,\n"
    )
    answer = upload(bank.maker, rows.encode("gb18030"))
    assert answer.status_code == 302
    mapping_page = text_of(bank.maker.get(answer.location))
    assert "GB18030" not in mapping_page and good in mapping_page and "备注列" in mapping_page
    run = db.session.scalars(select(ImportRun)).one()
    assert run.mapping == {"number": "专利号", "title": "名称", "filing_date": "申请日"}
    checked = bank.maker.post(answer.location, data=mapping_of(run))
    assert checked.status_code == 302
    page = text_of(bank.maker.get(checked.location))
    assert "正在检查" in page and "<noscript><meta http-equiv" in page
    assert bank.maker.get(f"{checked.location}/progress").json["over"] is False
    work(app)
    page = text_of(bank.maker.get(checked.location))
    assert "校验位不符" in page and "不能识别为日期" in page and "有误 2 行" in page
    assert (
        "专利号校验位不符，请核对每一位 <strong" in page
        and "例如第 3 行" in page
        and "patent.check_digit</code>" not in page
    )
    assert db.session.scalar(select(Right)) is None, "a check keeps nothing"
    assert bank.maker.post(f"{checked.location}/run").status_code == 302
    work(app)
    assert [r.title for r in db.session.scalars(select(Right))] == ["好的"]
    bad = bank.maker.get(f"{checked.location}/bad-rows.csv")
    text = bad.get_data().decode("utf-8-sig")
    assert (
        "'=cmd|" in text
        and ",=cmd" not in text
        and "专利号: " in text
        and "attachment" in bad.headers["Content-Disposition"]
    )
    assert bank.maker.post(f"{checked.location}/run").status_code == 409
    assert "已导入" in text_of(bank.maker.get("/imports"))


def test_the_banks_own_columns_are_remembered(bank: Bank) -> None:
    rows = f"甲,乙\n{make_patent_number()},装置\n".encode()
    first = upload(bank.maker, rows)
    run = db.session.scalars(select(ImportRun)).one()
    refused = bank.maker.post(first.location, data={"column-number": "甲"})
    assert refused.status_code == 422 and "必填：请选择一列" in text_of(refused)
    assert bank.maker.post(first.location, data={"column-number": "甲", "column-title": "乙"}).status_code == 302
    second = upload(bank.maker, rows)
    db.session.rollback()
    again = db.session.scalars(select(ImportRun).where(ImportRun.id != run.id)).one()
    assert again.mapping == {"number": "甲", "title": "乙"}
    assert second.status_code == 302


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_a_bad_file_is_refused_with_a_reason_in_the_users_language(app: Zhiliu, lang: str) -> None:
    bank = Bank(app, lang)
    answer = upload(bank.maker, b"a,b\n\x00\x01\x02,\xff\n", "x.csv")
    assert answer.status_code == 422
    assert ("空字符" if lang == "zh" else "NUL") in text_of(answer)
    assert bank.maker.post("/imports/new", data={"target": "rights"}).status_code == 422


def test_another_bank_cannot_open_an_import(app: Zhiliu, bank: Bank) -> None:
    location = upload(bank.maker, f"专利号,名称\n{make_patent_number()},装置\n".encode()).location
    run_id = location.split("/")[-2]
    other = Bank(app)
    for path in ("", "/mapping", "/progress", "/bad-rows.csv"):
        assert other.maker.get(f"/imports/{run_id}{path}").status_code == 404
    assert other.maker.post(f"/imports/{run_id}/run").status_code == 404
    assert other.maker.post(f"/imports/{run_id}/mapping", data={}).status_code == 404


@pytest.mark.parametrize("target", ["rights", "cases"])
@pytest.mark.parametrize("form", ["csv", "xlsx"])
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_a_template_filled_in_is_mapped_by_itself(app: Zhiliu, target: str, form: str, lang: str) -> None:
    """In both languages every required column of the template is found again."""
    bank = Bank(app, lang)
    content = bank.maker.get(f"/imports/template/{target}.{form}").get_data()
    assert upload(bank.maker, content, f"t.{form}", target).status_code == 302
    run = db.session.scalars(select(ImportRun)).one()
    from marketplace.cases.imports.fields import TARGETS

    assert set(run.mapping) == {field.name for field in TARGETS[target]}


def test_every_page_is_there_in_both_languages(app: Zhiliu) -> None:
    for lang in ("zh", "en"):
        bank = Bank(app, lang)
        case = make_case(bank.actor)
        add_needed_documents(case, ["other"])
        db.session.commit()
        upload(bank.maker, f"专利号,名称\n{make_patent_number()},装置\n".encode())
        pages = ["/cases", "/cases?state=draft&q=BL", "/cases/new", f"/cases/{case.id}", f"/cases/{case.id}/edit",
                 f"/cases/{case.id}/rights", f"/cases/{case.id}/history", "/imports", "/imports/new"]  # fmt: skip
        for path in pages:
            assert bank.maker.get(path).status_code == 200, path


def test_odd_addresses_are_no_500(bank: Bank) -> None:
    for path in ("/cases?page=-1", "/cases?page=x&state=zzz", "/cases?q=%25_%5C%00", "/cases/999999999",
                 "/imports/99999999999999999999", "/imports/1?page=99999999999",
                 "/cases?page=99999999999999999999"):  # fmt: skip
        assert bank.maker.get(path).status_code in (200, 404, 422), path


def test_the_case_list_reads_the_same_number_of_rows_for_any_number_of_cases(app: Zhiliu, bank: Bank) -> None:
    for _ in range(5):
        make_case(bank.actor, rights=0, documents=False, reference=case_data()["reference"])
    page = text_of(bank.maker.get("/cases"))
    assert "5 件" in page and "¥22,000,000.00" in page
    assert make_actor("bank").org_id != bank.org.id
