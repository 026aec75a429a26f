"""Pages of a bank's rights, in both languages, for each role."""

from __future__ import annotations

import io
from datetime import date, timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select

from marketplace import Zhiliu
from marketplace.core import files
from marketplace.core.calendar import add_months, add_years
from marketplace.core.clock import today
from marketplace.core.db import db
from marketplace.core.models import Document
from marketplace.parties.models import Organisation
from marketplace.parties.sign_in import actor_of
from marketplace.rights import burdens, service
from marketplace.rights.models import AnnuityPayment, Encumbrance, Right
from tests.factories.parties import client_for, make_org, make_user
from tests.factories.rights import PDF, fresh_number, make_right, pdf_upload
from tests.web.english import chinese_left


@pytest.fixture
def bank(app: Zhiliu) -> Organisation:
    return make_org("bank")


@pytest.fixture
def banker(app: Zhiliu, bank: Organisation) -> FlaskClient:
    return client_for(app, make_user(bank))


def typed(**fields: str) -> dict[str, str]:
    return {
        "kind": "invention_patent",
        "number": fresh_number(),
        "title": "一种水泵",
        "filing_date": "2021-03-01",
        "grant_date": "2022-03-01",
        "fees_paid_through": "7",
        **fields,
    }


def test_an_empty_list_says_what_to_do_next(banker: FlaskClient) -> None:
    page = banker.get("/rights").get_data(as_text=True)
    assert "还没有权利" in page and "/rights/new" in page


def test_a_right_is_entered_and_shown(banker: FlaskClient) -> None:
    answer = banker.post("/rights/new", data=typed(number="zl 202110344405．7"))
    assert answer.status_code == 302
    page = banker.get(answer.location).get_data(as_text=True)
    for text in ("ZL202110344405.7", "一种水泵", "2041-02-28", "第 8 年", "¥2,000.00", "末位校验位"):
        assert text in page, text
    assert "一种水泵" in banker.get("/rights?text=水泵").get_data(as_text=True)
    assert "没有符合条件的权利" in banker.get("/rights?text=阀门&page=7").get_data(as_text=True)


def test_a_wrong_form_keeps_what_was_typed_and_names_every_fault(banker: FlaskClient) -> None:
    answer = banker.post(
        "/rights/new", data=typed(number="ZL202010123456.7", title="", filing_date="昨天", ipc="水", abstract="<b>留")
    )
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    for text in ("应为 2", "请填写名称", "日期应写作", "不是 IPC 分类号", "&lt;b&gt;留", 'value="昨天"'):
        assert text in page, text
    assert db.session.scalar(select(func.count()).select_from(Right)) == 0


def test_a_number_entered_twice_leads_to_the_first(banker: FlaskClient, bank: Organisation) -> None:
    right = make_right(bank)
    answer = banker.post("/rights/new", data=typed(number=right.number_display))
    assert answer.status_code == 422
    assert f'href="/rights/{right.id}"' in answer.get_data(as_text=True)


def seen_on(page: str) -> str:
    return page.split('name="seen"')[1].split('value="')[1].split('"')[0]


def test_two_people_editing_one_right_do_not_overwrite_each_other(app: Zhiliu, bank: Organisation) -> None:
    right = make_right(bank, title="原名")
    first, second = client_for(app, make_user(bank)), client_for(app, make_user(bank))
    path = f"/rights/{right.id}/edit"
    form = typed(number=right.number_display, seen=seen_on(first.get(path).get_data(as_text=True)))
    assert first.post(path, data=form | {"title": "甲改的"}).status_code == 302
    answer = second.post(path, data=form | {"title": "乙改的"})
    page = answer.get_data(as_text=True)
    assert answer.status_code == 409 and "甲改的" in page and 'value="乙改的"' in page
    assert db.session.get(Right, right.id, populate_existing=True).title == "甲改的"
    again = second.post(path, data=form | {"title": "乙改的", "seen": seen_on(page)})
    assert again.status_code == 302
    assert db.session.get(Right, right.id, populate_existing=True).title == "乙改的"


def test_editing_without_changing_anything_changes_nothing(banker: FlaskClient, bank: Organisation) -> None:
    """What the edit form shows is what saving it stores."""
    right = make_right(bank, co_owners=["张三", "李四"], ipc=["G06F17/30", "H02G"], fee_reduction=85)
    before = service.snapshot(right)
    page = banker.get(f"/rights/{right.id}/edit").get_data(as_text=True)
    from html.parser import HTMLParser

    class Fields(HTMLParser):
        """The form's fields with their values, as a browser would send them."""

        def __init__(self) -> None:
            super().__init__()
            self.found: dict[str, str] = {}
            self.area = self.choice = ""

        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            a = dict(attrs)
            if tag == "input" and a.get("name") and a.get("type") != "checkbox":
                self.found[str(a["name"])] = a.get("value") or ""
            elif tag == "textarea":
                self.area = str(a["name"])
                self.found[self.area] = ""
            elif tag == "select":
                self.choice = str(a["name"])
            elif tag == "option" and "selected" in a:
                self.found[self.choice] = a.get("value") or ""

        def handle_data(self, data: str) -> None:
            if self.area:
                self.found[self.area] += data

        def handle_endtag(self, tag: str) -> None:
            if tag == "textarea":
                self.area = ""

    fields = Fields()
    fields.feed(page)
    answer = banker.post(f"/rights/{right.id}/edit", data=fields.found)
    assert answer.status_code == 302
    assert service.snapshot(db.session.get(Right, right.id, populate_existing=True)) == before


def test_an_overdue_fee_shows_its_surcharge_and_can_be_recorded(banker: FlaskClient, bank: Organisation) -> None:
    filed = add_years(add_months(today(), -2) + timedelta(days=1), -5)
    right = make_right(bank, filing_date=filed, grant_date=add_years(filed, 1), fees_paid_through=5)
    page = banker.get(f"/rights/{right.id}").get_data(as_text=True)
    assert "阻止发布" in page and "滞纳金 ¥60.00（5%）" in page and "细则第 115 条" in page
    form = banker.get(f"/rights/{right.id}/annuities/6").get_data(as_text=True)
    assert 'value="1260.00"' in form
    wrong = banker.post(f"/rights/{right.id}/annuities/6", data={"paid_on": "2026-02-30", "amount": "1.234"})
    assert wrong.status_code == 422 and "日期应写作" in wrong.get_data(as_text=True)
    good = {"paid_on": today().isoformat(), "amount": "1,260.00", "seen": seen_on(form)}
    answer = banker.post(f"/rights/{right.id}/annuities/6", data=good | {"receipt": (io.BytesIO(PDF), "凭证.pdf")})
    assert answer.status_code == 302
    assert db.session.scalars(select(AnnuityPayment.amount_minor)).all() == [126000]
    assert "凭证.pdf" in banker.get(f"/rights/{right.id}").get_data(as_text=True)


def test_fees_of_which_nothing_is_known_are_not_called_lapsed(banker: FlaskClient, bank: Organisation) -> None:
    filed = add_years(today(), -6)
    pages = []
    for paid in (None, 2):
        right = make_right(bank, filing_date=filed, grant_date=add_years(filed, 1), fees_paid_through=paid)
        pages.append(banker.get(f"/rights/{right.id}").get_data(as_text=True))
    assert "未知" in pages[0] and "已过滞纳期" not in pages[0] and "未到期" in pages[0]
    assert "未知" not in pages[1] and "已过滞纳期" in pages[1]


def test_a_pledge_is_entered_consented_to_and_released(banker: FlaskClient, bank: Organisation) -> None:
    right = make_right(bank)
    base = f"/rights/{right.id}"
    day = today().isoformat()

    def seen() -> str:
        return service.version_of(db.session.get(Right, right.id, populate_existing=True))

    empty = banker.post(base + "/encumbrances/new", data={"kind": "pledge", "seen": seen()})
    assert empty.status_code == 422 and "请填写开始日期" in empty.get_data(as_text=True)
    data = {"kind": "pledge", "holder": "汉口银行", "from_date": day, "seen": seen()}
    assert banker.post(base + "/encumbrances/new", data=data).status_code == 302
    assert "缺少质权人汉口银行的书面同意" in banker.get(base).get_data(as_text=True)
    row = db.session.scalars(select(Encumbrance)).one()
    path = f"{base}/encumbrances/{row.id}"
    bad = banker.post(path + "/consent", data={"seen": seen(), "file": (io.BytesIO(b"<html>"), "同意书.pdf")})
    assert bad.status_code == 422 and "网页代码" in bad.get_data(as_text=True)
    good = banker.post(path + "/consent", data={"seen": seen(), "file": (io.BytesIO(PDF), "同意书.pdf")})
    assert good.status_code == 302
    assert "质权人已同意" in banker.get(base).get_data(as_text=True)
    assert banker.post(path + "/release", data={"seen": seen(), "released_on": day}).status_code == 302
    assert "已解除" in banker.get(base).get_data(as_text=True)


def test_documents_are_added_and_removed(banker: FlaskClient, bank: Organisation) -> None:
    right = make_right(bank)
    base = f"/rights/{right.id}"
    bad = banker.post(base + "/documents", data={"kind": "certificate", "file": (io.BytesIO(b""), "a.pdf")})
    assert bad.status_code == 422 and "文件是空的" in bad.get_data(as_text=True)
    data = {"kind": "certificate", "file": (io.BytesIO(PDF), "证书.pdf")}
    assert banker.post(base + "/documents", data=data).status_code == 302
    document = db.session.scalars(select(Document)).one()
    assert banker.get(f"/files/{document.id}/证书.pdf").data == PDF
    assert banker.post(f"{base}/documents/{document.id}/remove").status_code == 302
    assert banker.get(f"/files/{document.id}/证书.pdf").status_code == 404
    other = make_right(bank)
    assert banker.post(f"/rights/{other.id}/documents/{document.id}/remove").status_code == 404


def test_register_standing_is_set(banker: FlaskClient, bank: Organisation) -> None:
    right = make_right(bank)
    page = banker.get(f"/rights/{right.id}/standing").get_data(as_text=True)
    data = {"seen": seen_on(page), "terminated_on": today().isoformat()}
    assert banker.post(f"/rights/{right.id}/standing", data=data).status_code == 302
    assert "权利已终止" in banker.get(f"/rights/{right.id}").get_data(as_text=True)
    assert f'value="{today().isoformat()}"' in banker.get(f"/rights/{right.id}/standing").get_data(as_text=True)


def test_the_number_checker_answers_as_page_and_json(banker: FlaskClient) -> None:
    path = "/rights/check-number?kind=invention_patent&number="
    json = {"Accept": "application/json"}
    good = banker.get(path + "95115608.x", headers=json).get_json()
    assert good["ok"] and good["display"].endswith("95115608.X")
    bad = banker.get(path + "202010123456.7", headers=json).get_json()
    assert not bad["ok"] and bad["code"] == "patent.check_digit" and "应为 2" in bad["message"]
    assert "应为 2" in banker.get(path + "202010123456.7").get_data(as_text=True)
    assert "请先选择" in banker.get("/rights/check-number?number=1").get_data(as_text=True)


ROLES = [
    ("operator", ("admin",), 403, 403),
    ("enterprise", ("admin",), 403, 403),
    ("regulator", ("admin",), 403, 403),
    ("platform", ("maker",), 200, 403),
    ("bank", ("maker",), 404, 404),
]


@pytest.mark.parametrize(("kind", "roles", "read", "write"), ROLES)
def test_other_roles_and_other_banks(
    app: Zhiliu, bank: Organisation, kind: str, roles: tuple[str, ...], read: int, write: int
) -> None:
    right = make_right(bank, title="秘密权利")
    other = client_for(app, make_user(make_org(kind), roles))
    assert other.get(f"/rights/{right.id}").status_code == read
    for path in ("edit", "standing", "annuities/6", "encumbrances/new", "documents", "co-owners/consent"):
        answer = other.post(f"/rights/{right.id}/{path}", data=typed() | {"kind": "certificate"})
        assert answer.status_code == write, path
    if kind == "bank":
        assert "秘密权利" not in other.get("/rights").get_data(as_text=True)


def test_a_viewer_reads_and_does_not_change(app: Zhiliu, bank: Organisation) -> None:
    right = make_right(bank)
    viewer = client_for(app, make_user(bank, ("viewer",)))
    page = viewer.get(f"/rights/{right.id}")
    assert page.status_code == 200 and "/edit" not in page.get_data(as_text=True)
    assert viewer.get(f"/rights/{right.id}/edit").status_code == 403
    assert app.test_client().get(f"/rights/{right.id}").status_code == 302


def test_a_mark_says_when_its_renewal_may_be_filed(banker: FlaskClient, bank: Organisation) -> None:
    """商标法 art. 40: in the last 12 months of the term, or in the six months after it."""
    mark = make_right(bank, kind="trademark", registration_date=date(2019, 3, 14))
    page = " ".join(banker.get(f"/rights/{mark.id}").text.split())
    assert "可以申请续展" in page and "2028-03-14 至 2029-03-13" in page and "2029-09-13" in page
    assert "商标法第 40 条" in page
    assert "可以申请续展" not in banker.get(f"/rights/{make_right(bank).id}").text


def test_every_page_is_complete_in_english(app: Zhiliu, bank: Organisation) -> None:
    """No Chinese is left on a page of a right whose own data is not Chinese."""
    user = make_user(bank)
    actor = actor_of(user, None)
    filed = add_years(add_months(today(), -2), -5)
    right = make_right(
        bank, title="A pump", holder_name="Jiangxia Ltd", co_owners=["Lee"], filing_date=filed,
        grant_date=add_years(filed, 1), fees_paid_through=5,
    )  # fmt: skip
    for data in (
        {"kind": "pledge", "holder": "Hankou"},
        {"kind": "preservation", "holder": "Court", "case_no": "1"},
        {"kind": "licence_sole", "holder": "Licensee"},
    ):
        burdens.add_encumbrance(actor, right.id, data | {"from_date": today()})
    service.add_document(actor, right.id, pdf_upload("deed.pdf"), "certificate")
    db.session.commit()
    english = client_for(app, user, "en")
    row = right.encumbrances[0].id
    pages = ["", "/edit", "/standing", "/annuities/6", "/encumbrances/new", f"/encumbrances/{row}/consent",
             f"/encumbrances/{row}/release", "/co-owners/consent"]  # fmt: skip
    addresses = [f"/rights/{right.id}{page}" for page in pages]
    addresses += ["/rights", "/rights/new", "/rights?text=zzz", "/rights/check-number?kind=trademark&number=x"]
    known = [bank.name, user.display_name or ""]
    for address in addresses:
        answer = english.get(address)
        assert answer.status_code == 200, address
        assert chinese_left(answer.text, known) == [], address
    answer = english.post("/rights/new", data=typed(number="ZL202010123456.7", title="", nice="99"))
    assert "check digit" in answer.text and chinese_left(answer.text, known) == []


def test_a_download_is_never_executable(app: Zhiliu, bank: Organisation) -> None:
    right = make_right(bank)
    user = make_user(bank)
    document = service.add_document(actor_of(user, None), right.id, pdf_upload("报告.pdf"), "other")
    db.session.commit()
    client = client_for(app, user)
    answer = client.get(f"/files/{document.id}/whatever.html")
    assert answer.mimetype == "application/pdf"
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Security-Policy"].startswith("sandbox; default-src 'none'")
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert app.test_client().get(f"/files/{document.id}/x").status_code == 404
    files.set_visibility(document.id, "public", actor_of(user, None))
    db.session.commit()
    shown = app.test_client().get(f"/files/{document.id}/x")
    assert shown.headers["Content-Disposition"].startswith("inline")
    assert "script-src" not in shown.headers["Content-Security-Policy"]
    assert shown.headers["Content-Security-Policy"].startswith("default-src 'none'")
    again = app.test_client().get(f"/files/{document.id}/x", headers={"If-None-Match": shown.headers["ETag"]})
    assert again.status_code == 304
