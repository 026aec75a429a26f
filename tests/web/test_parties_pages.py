"""Each page of the room for each role, in both languages; forms keep what was typed."""

from __future__ import annotations

import io
import re

import pytest
from sqlalchemy import select

from marketplace import Zhiliu
from marketplace.core.db import db
from marketplace.core.models import Document
from marketplace.listings.models import Listing
from marketplace.parties import bars, members, organisations, service
from marketplace.parties.models import ApiToken, Membership, Organisation, User
from tests.factories.auctions import make_lot
from tests.factories.parties import client_for, make_actor, make_org, make_uscc, make_user

CHINESE = re.compile(r"[\u4e00-\u9fff]")
PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
MINE = ("/organisation", "/organisation/members", "/organisation/tokens", "/account", "/organisation/new")


@pytest.mark.parametrize("kind", ["bank", "operator", "enterprise", "platform", "regulator"])
@pytest.mark.parametrize("roles", [("admin", "maker"), ("viewer",)])
def test_every_member_sees_their_own_pages(app: Zhiliu, kind: str, roles: tuple[str, ...]) -> None:
    client = client_for(app, make_user(make_org(kind), roles))
    assert [client.get(path).status_code for path in MINE] == [200] * len(MINE)
    manage = client.get("/manage/organisations").status_code
    assert manage == (200 if kind == "platform" and "admin" in roles else 403)


def test_visitors_are_sent_to_sign_in_and_back(app: Zhiliu) -> None:
    client = app.test_client()
    for path in MINE[:4]:
        assert client.get(path).location == f"/account/login?next={path}"


def english(text: str, *names: str) -> list[str]:
    """Lines of the page's body that still hold Chinese, names of things apart."""
    body = re.sub(r"(?s)<(script|style).*?</\1>|<[^>]+>", "\n", text)
    for name in (*names, "知流", "中文"):
        body = body.replace(name, "")
    return [line.strip() for line in body.splitlines() if CHINESE.search(line)]


@pytest.mark.parametrize("state", ["draft", "submitted", "verified", "rejected", "suspended"])
def test_pages_are_whole_in_english(app: Zhiliu, state: str) -> None:
    org = make_org(name="Operator Ltd", state=state, state_reason="Reason")
    org.account_name, org.account_bank = "Operator Ltd", "Some Bank"
    user, manager = make_user(org), make_user(make_org("platform", name="Platform"))
    user.display_name = manager.display_name = "Person"
    db.session.commit()
    client, desk = client_for(app, user, "en"), client_for(app, manager, "en")
    for path in MINE:
        assert english(client.get(path).text) == [], path
    for path in ("/manage/organisations", f"/manage/organisations/{org.id}"):
        assert english(desk.get(path).text) == [], path
    if state == "draft":
        visitor = app.test_client()
        for path in ("/account/login", "/account/reset", "/account/confirm", "/join", "/join/sent"):
            assert english(visitor.get(path + "?lang=en").text) == [], path
        refused = visitor.post("/account/login?lang=en", data={"email": "a@example.cn", "password": "wrong pass"})
        assert english(refused.text) == [] and "locked for a while" in refused.text
        assert english(visitor.post("/join?lang=en", data={"uscc": "9"}).text) == []


def test_pages_are_whole_in_chinese(app: Zhiliu) -> None:
    client = app.test_client()
    for path in ("/account/login", "/account/reset", "/account/confirm", "/join"):
        labels = re.findall(r"<label[^>]*>(.*?)</label>", client.get(path).text)
        assert labels and all(CHINESE.search(label) for label in labels), path


def test_an_organisation_uploads_submits_and_is_verified(app: Zhiliu) -> None:
    org = make_org(state="draft")
    client, desk = client_for(app, make_user(org)), client_for(app, make_user(make_org("platform")))
    page = client.post("/organisation/submit")
    assert page.status_code == 422 and "请上传营业执照" in page.text
    form = {"name": org.name, "uscc": org.uscc, "legal_representative": "张三", "contact_phone": "010-12345678"}
    assert client.post("/organisation", data=form).status_code == 302
    wrong = client.post("/organisation/documents", data={"kind": "business_licence"})
    assert wrong.status_code == 422 and "请选择文件" in wrong.text
    sent = client.post(
        "/organisation/documents",
        data={"kind": "business_licence", "file": (io.BytesIO(PDF), "执照.pdf")},
    )
    assert sent.status_code == 302, sent.text
    assert "执照.pdf" in client.get("/organisation").text
    assert client.post("/organisation/submit").status_code == 302
    assert "平台正在核验" in client.get("/organisation").text
    page = desk.get(f"/manage/organisations/{org.id}").text
    assert "执照.pdf" in page and "通过核验" in page
    assert desk.post(f"/manage/organisations/{org.id}", data={"act": "reject"}).status_code == 422
    desk.post(f"/manage/organisations/{org.id}", data={"act": "reject", "reason": "执照不清晰"})
    assert "执照不清晰" in client.get("/organisation").text
    document = db.session.scalars(select(Document)).one()
    client.post(f"/organisation/documents/{document.id}/remove")
    assert client.post("/organisation/submit").status_code == 422
    db.session.expire_all()
    db.session.get_one(Document, document.id).removed_at = None
    db.session.commit()
    client.post("/organisation/submit")
    assert desk.post(f"/manage/organisations/{org.id}", data={"act": "verify"}).status_code == 302
    db.session.expire_all()
    assert service.is_verified(org.id)


def test_wrong_details_are_shown_at_their_fields_and_kept(app: Zhiliu) -> None:
    org = make_org(state="draft", name="原名")
    client = client_for(app, make_user(org))
    answer = client.post("/organisation", data={"name": "", "uscc": "91110000600037341M", "address": "某街一号"})
    assert answer.status_code == 422
    assert "请填写机构名称" in answer.text and "校验位不符" in answer.text and 'value="某街一号"' in answer.text
    db.session.expire_all()
    assert db.session.get_one(Organisation, org.id).name == "原名"


def test_only_an_administrator_changes_things(app: Zhiliu) -> None:
    client = client_for(app, make_user(make_org(), ("viewer", "maker")))
    for path in ("/organisation", "/organisation/members", "/organisation/tokens", "/organisation/account"):
        data = {"name": "甲", "email": "a@example.cn", "roles": "viewer", "scopes": "cases:read"}
        assert client.post(path, data=data).status_code == 403, path


def test_a_person_is_invited_joins_and_is_removed(app: Zhiliu) -> None:
    org = make_org()
    actor = make_actor(org=org)
    _row, secret = members.invite("new@example.cn", ["maker"], actor)
    db.session.commit()
    visitor = app.test_client()
    link = f"/join/invitation/{secret}"
    assert visitor.get(link).status_code == 200
    assert "密码至少" in visitor.post(link, data={"display_name": "新人", "password": "short"}).text
    assert visitor.post(link, data={"display_name": "新人", "password": "correct horse"}).status_code == 302
    assert visitor.get(link).status_code == 404
    user = db.session.scalars(select(User).where(User.email == "new@example.cn")).one()
    row = db.session.scalars(select(Membership).where(Membership.user_id == user.id)).one()
    admin = client_for(app, db.session.get_one(User, actor.user_id or 0))
    assert "new@example.cn" in admin.get("/organisation/members").text
    joined = client_for(app, user)
    assert joined.get("/organisation").status_code == 200
    admin.post(f"/organisation/members/{row.id}", data={"act": "deactivate"})
    assert joined.get("/organisation").location == "/organisation/new"


def test_the_last_administrator_is_told_why(app: Zhiliu) -> None:
    org = make_org()
    user = make_user(org, ("admin",))
    row = members.members_of(org.id)[0][0]
    answer = client_for(app, user).post(f"/organisation/members/{row.id}", data={"act": "deactivate"})
    assert answer.status_code == 409 and "最后一名管理员" in answer.text


def test_somebody_of_two_organisations_switches(app: Zhiliu) -> None:
    first, second, other = make_org(name="甲公司"), make_org(name="乙公司"), make_org()
    user = make_user(first)
    db.session.add(Membership(user_id=user.id, org_id=second.id, roles=["viewer"], active=True))
    make_user(other)
    db.session.commit()
    client = client_for(app, user)
    assert "甲公司" in client.get("/organisation").text
    mine = {row.org_id: row.id for row in db.session.scalars(select(Membership))}
    client.post("/organisation/switch", data={"membership": mine[second.id]})
    assert "乙公司" in client.get("/organisation").text
    assert client.post("/organisation/switch", data={"membership": mine[other.id]}).status_code == 404
    assert client.post("/organisation/switch", data={"membership": "x"}).status_code == 404


def test_a_token_secret_is_shown_once(app: Zhiliu) -> None:
    client = client_for(app, make_user(make_org("bank")))
    answer = client.post("/organisation/tokens", data={"name": "甲", "scopes": ["cases:read"], "days": "30"})
    found = re.search(r"zl_[\w-]{20,}", answer.text)
    assert answer.status_code == 200 and found and "no-store" in answer.headers["Cache-Control"]
    assert found[0] not in client.get("/organisation/tokens").text
    bad = client.post("/organisation/tokens", data={"name": "乙", "scopes": ["root"], "days": "9999"})
    assert bad.status_code == 422 and "请至少选择一项权限" in bad.text and 'value="乙"' in bad.text
    token = db.session.scalars(select(ApiToken)).one()
    client.post(f"/organisation/tokens/{token.id}/revoke")
    assert "已停用" in client.get("/organisation/tokens").text


def test_a_manager_affiliates_bars_and_lifts(app: Zhiliu) -> None:
    a, b = make_org(), make_org()
    listing = make_lot(0).lot.listing_id
    number = db.session.scalars(select(Listing.number).where(Listing.id == listing)).one() or ""
    desk = client_for(app, make_user(make_org("platform")))
    base = f"/manage/organisations/{a.id}"
    bad = desk.post(f"{base}/affiliations", data={"affiliate_uscc": make_uscc()})
    assert bad.status_code == 422 and "没有使用此代码的机构" in bad.text and "请填写认定依据" in bad.text
    desk.post(f"{base}/affiliations", data={"affiliate_uscc": b.uscc, "basis": "同一股东"})
    assert service.related(a.id, b.id)
    for wrong in ("x", str(listing), "ZL-1999-000001"):
        answer = desk.post(f"{base}/bars", data={"listing_id": wrong, "bar_reason": "悔拍"})
        assert answer.status_code == 422 and "没有这个编号的挂牌" in answer.text and f'value="{wrong}"' in answer.text
    assert bars.bars_of(a.id) == []
    sent = {"bar_reason": "悔拍", "listing_id": f" {number.lower()} ", "source": "网拍规定 art. 24"}
    app.config["WTF_CSRF_ENABLED"] = True
    try:
        desk.post(f"{base}/bars", data=sent)
        assert bars.bars_of(a.id) == []
        token = desk.get(base).text.split('name="csrf_token"')[1].split('value="')[1].split('"')[0]
        assert desk.post(f"{base}/bars", data=sent | {"csrf_token": token}).status_code == 302
    finally:
        app.config["WTF_CSRF_ENABLED"] = False
    bar = bars.bars_of(a.id)[0]
    assert service.barred(a.id, listing) is not None and f"挂牌 {number}" in desk.get(base).text
    assert desk.post(f"/manage/organisations/{b.id}/bars/{bar.id}/lift", data={"reason": "误"}).status_code == 404
    assert desk.post(f"{base}/bars/{bar.id}/lift", data={"reason": ""}).status_code == 422
    desk.post(f"{base}/bars/{bar.id}/lift", data={"reason": "误"})
    db.session.expire_all()
    assert service.barred(a.id, listing) is None


@pytest.mark.parametrize(
    ("holder", "lang", "told"),
    [
        ("某某个人", "zh", "户名不一致"),
        ("某某个人", "en", "Account in another name"),
        ("江城(武汉) 公司", "zh", ""),
        (None, "zh", ""),
    ],
)
def test_a_payout_account_in_another_name_is_seen(app: Zhiliu, holder: str | None, lang: str, told: str) -> None:
    org = make_org(name="江城（武汉）公司", state="submitted")
    org.account_name = holder
    db.session.commit()
    page = client_for(app, make_user(make_org("platform")), lang).get(f"/manage/organisations/{org.id}").text
    assert told in page and (bool(told) or "户名不一致" not in page)
    assert not told or "某某个人" in page.split(told)[1][:300]


def test_managers_find_organisations_whatever_they_type(app: Zhiliu) -> None:
    make_org(name="知产运营", state="submitted")
    desk = client_for(app, make_user(make_org("platform")))
    for query in ("q=知产", "q=%25", "kind=x&state=y&page=-1", "page=999999", "state=submitted"):
        assert desk.get(f"/manage/organisations?{query}").status_code == 200
    assert "知产运营" in desk.get("/manage/organisations?q=知产").text
    assert "知产运营" not in desk.get("/manage/organisations?state=verified").text


def test_mail_is_readable_on_a_demo_site_only(app: Zhiliu, monkeypatch: pytest.MonkeyPatch) -> None:
    desk = client_for(app, make_user(make_org("platform")))
    assert desk.get("/manage/mail").status_code == 404
    monkeypatch.setattr(app.settings, "demo", True)
    assert desk.get("/manage/mail").status_code == 200
    assert desk.get("/manage/mail/..%2f..%2fetc").status_code == 404


def test_commands_make_the_first_manager_and_reset_a_lost_phone(app: Zhiliu) -> None:
    runner = app.test_cli_runner()
    made = runner.invoke(args=["parties", "create-manager", "Boss@example.cn", "--password", "correct horse battery"])
    assert made.exit_code == 0, made.output
    user = db.session.scalars(select(User)).one()
    assert user.email == "boss@example.cn" and organisations.documents_of(1) == []
    assert (
        runner.invoke(args=["parties", "create-org", "regulator", "监管局", make_uscc(), "--verified"]).exit_code == 0
    )
    org = db.session.scalars(select(Organisation).where(Organisation.kind == "regulator")).one()
    assert org.state == "verified"
    bad = runner.invoke(args=["parties", "create-org", "bank", "银行", "911"])
    assert bad.exit_code != 0 and "18 位" in bad.output
    added = runner.invoke(args=["parties", "add-member", str(org.id), "boss@example.cn", "--role", "viewer"])
    assert added.exit_code == 0, added.output
    user.tf_primary_method, before = "authenticator", user.fs_uniquifier
    db.session.commit()
    assert runner.invoke(args=["parties", "reset-two-factor", "boss@example.cn"]).exit_code == 0
    db.session.expire_all()
    assert user.tf_primary_method is None and user.fs_uniquifier != before


def test_limits_name_pages_that_exist(app: Zhiliu) -> None:
    from marketplace.parties.limits import PAGE_LIMITS, SIGN_IN_LIMITS

    assert {*PAGE_LIMITS, *SIGN_IN_LIMITS} <= set(app.view_functions)
