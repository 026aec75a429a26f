"""Organisations, members, tokens, bars and notices on the real database."""

from __future__ import annotations

import email
import email.policy
from datetime import timedelta

import pytest
from sqlalchemy import event as sql_event
from sqlalchemy import select

from marketplace import Zhiliu
from marketplace.core import approvals, outbox
from marketplace.core.actor import Actor
from marketplace.core.clock import now
from marketplace.core.db import db
from marketplace.core.errors import DomainError, Forbidden, Invalid, NotFound, Refused
from marketplace.core.i18n import _l
from marketplace.core.models import Event, Outbox
from marketplace.parties import affiliations, mail, members, notices, organisations, service, tokens
from marketplace.parties.models import ApiToken, Invitation, Organisation
from marketplace.parties.organisations import AccountData, OrgData
from tests.factories.parties import make_actor, make_org, make_uscc, make_user


def codes(error: pytest.ExceptionInfo[DomainError]) -> set[str]:
    return {problem.code for problem in error.value.problems}


def admin_of(org: Organisation) -> Actor:
    return make_actor(org=org)


def mails() -> list[dict[str, str]]:
    return list(db.session.scalars(select(Outbox.payload).where(Outbox.topic == "mail").order_by(Outbox.id)))


def test_relation_is_read_both_ways_and_with_itself(app: Zhiliu) -> None:
    a, b, c = make_org(), make_org(), make_org()
    manager = make_actor("platform")
    affiliations.affiliate(a.id, b.uscc or "", "同一控股股东", manager)
    assert service.related(a.id, b.id) and service.related(b.id, a.id) and service.related(c.id, c.id)
    assert not service.related(a.id, c.id)
    with pytest.raises(Invalid) as refused:
        affiliations.affiliate(b.id, a.uscc or "", "再次", manager)
    assert codes(refused) == {"affiliate_known"}
    row, other = affiliations.affiliations_of(b.id)[0]
    assert other.id == a.id
    affiliations.end_affiliation(row.id, b.id, manager)
    assert not service.related(a.id, b.id)


def test_a_bar_reaches_one_listing_or_all_until_lifted(app: Zhiliu) -> None:
    org, manager = make_org(), make_actor("platform")
    one = service.bar_org(org.id, 7, "悔拍", "网拍规定 art. 24", manager)
    again = service.bar_org(org.id, 7, "再次", None, manager)
    assert again.id == one.id
    assert service.barred(org.id, 7) is not None and service.barred(org.id, 8) is None
    everywhere = service.bar_org(org.id, None, "串通", None, manager)
    assert service.bar_org(org.id, None, "串通", None, manager).id == everywhere.id
    found = service.barred(org.id, 7)
    assert found is not None and found.listing_id is None
    service.lift_bar(everywhere.id, "查明", manager)
    service.lift_bar(one.id, "查明", manager)
    assert service.barred(org.id, 7) is None
    with pytest.raises(Refused) as refused:
        service.lift_bar(one.id, "查明", manager)
    assert refused.value.code == "bar_lifted"
    assert service.bar_org(org.id, 7, "又悔拍", None, manager).id != one.id


def test_an_organisation_is_registered_submitted_and_verified(app: Zhiliu) -> None:
    user = make_user()
    org = organisations.create_org("operator", OrgData(name="知产运营", uscc=make_uscc().lower()), user.id, Actor())
    actor = Actor(user_id=user.id, org_id=org.id, org_kind="operator", roles=frozenset({"admin"}))
    manager = make_actor("platform")
    with pytest.raises(Invalid) as refused:
        organisations.submit_org(actor)
    assert {"document_missing", "account.missing", "legal_representative_needed"} <= codes(refused)
    with pytest.raises(Refused):
        organisations.verify_org(org.id, manager)
    org.state = "submitted"
    db.session.flush()
    assert organisations.verify_org(org.id, manager).state == "verified"
    assert service.is_verified(org.id) and org.verified_by == manager.user_id
    with pytest.raises(Invalid):
        organisations.suspend_org(org.id, " ", manager)
    assert organisations.suspend_org(org.id, "证照过期", manager).state == "suspended"
    assert organisations.reinstate_org(org.id, "已换发", manager).state == "verified"
    kinds = set(db.session.scalars(select(Event.kind).where(Event.subject_id == org.id)))
    assert {"organisation.verified", "organisation.suspended", "organisation.reinstated"} <= kinds


def test_only_a_manager_verifies(app: Zhiliu) -> None:
    org = make_org(state="submitted")
    for actor in (make_actor("bank"), make_actor("platform", ("viewer",))):
        with pytest.raises(NotFound):
            organisations.verify_org(org.id, actor)


def test_a_verified_name_and_code_cannot_be_edited(app: Zhiliu) -> None:
    org = make_org(name="原名")
    code = org.uscc
    organisations.edit_org(OrgData(name="新名", uscc=make_uscc(), contact_phone="010-1"), admin_of(org))
    assert (org.name, org.uscc, org.contact_phone) == ("原名", code, "010-1")


@pytest.mark.parametrize("kind", ["platform", "regulator", "nonsense"])
def test_the_public_cannot_register_platform_or_regulator(app: Zhiliu, kind: str) -> None:
    with pytest.raises(Invalid) as refused:
        organisations.create_org(kind, OrgData(name="甲", uscc=make_uscc()), None, Actor())
    assert codes(refused) == {"kind_closed"}


def test_a_code_typed_by_an_unconfirmed_stranger_does_not_block_its_owner(app: Zhiliu) -> None:
    code = make_uscc()
    stranger = make_user()
    stranger.confirmed_at = None
    squatted = organisations.create_org("operator", OrgData(name="冒名", uscc=code), stranger.id, Actor())
    owner = make_user()
    real = organisations.create_org("operator", OrgData(name="本尊", uscc=code), owner.id, Actor())
    assert real.uscc == code and squatted.uscc is None
    with pytest.raises(Invalid) as refused:
        organisations.create_org("operator", OrgData(name="又一", uscc=code), make_user().id, Actor())
    assert codes(refused) == {"uscc.taken"}


def test_the_refund_account_of_a_verified_organisation_changes_only_with_a_second_person(app: Zhiliu) -> None:
    org = make_org()
    maker, second = admin_of(org), admin_of(org)
    before = org.account_no
    waiting = organisations.change_account(AccountData("甲公司", "6222 0000 1111", "某银行"), maker)
    assert waiting is not None and org.account_no == before
    with pytest.raises(Forbidden):
        approvals.decide(waiting.id, maker, approve=True)
    approvals.decide(waiting.id, second, approve=True)
    db.session.refresh(org)
    assert org.account_no == "622200001111"


def test_each_member_gets_a_notice_once_in_their_language(app: Zhiliu) -> None:
    org = make_org()
    make_user(org, ("viewer",), email="zh@example.cn")
    make_user(org, ("admin",), email="en@example.cn", language="en")
    gone = make_user(org, ("admin",), email="gone@example.cn")
    gone.active = False
    db.session.flush()
    for _again in range(2):
        notices.notify_org(org.id, _l("机构核验已通过"), _l("请填写理由"), "/organisation", dedupe_key="once")
    sent = {row["to"]: row for row in mails()}
    assert set(sent) == {"zh@example.cn", "en@example.cn"} and len(mails()) == 2
    assert sent["zh@example.cn"]["subject"] == "机构核验已通过"
    assert not any("\u4e00" <= sign <= "\u9fff" for sign in sent["en@example.cn"]["subject"])
    assert "http://127.0.0.1:8000/organisation" in sent["zh@example.cn"]["body"]
    notices.notify_org(org.id, "只给管理员", "正文", roles=["admin"])
    assert mails()[-1]["to"] == "en@example.cn"


def test_a_mail_sent_twice_is_one_message_with_one_identity(app: Zhiliu) -> None:
    notices.notify_address("a@example.cn", "zh", "主题\nBcc: x@example.cn", "正文")
    db.session.commit()
    row = db.session.scalars(select(Outbox)).one()
    message_id, payload = row.id, row.payload
    for path in mail.mail_folder().glob("*.eml"):
        path.unlink()
    for _again in range(2):
        outbox.handler_of("mail")(message_id, payload)
    paths = list(mail.mail_folder().glob("*.eml"))
    assert len(paths) == 1
    letter = email.message_from_bytes(paths[0].read_bytes(), policy=email.policy.default)
    assert letter["Message-ID"] == f"<outbox-{message_id}@127.0.0.1>"
    assert letter["Bcc"] is None and "正文" in letter.get_content()


@pytest.mark.parametrize(
    ("link", "expected"),
    [
        ("/a?b=1", "http://127.0.0.1:8000/a?b=1"),
        ("http://evil.example/account/reset/x", "http://127.0.0.1:8000/account/reset/x"),
        ("http://127.0.0.1:8000.evil.example/a", "http://127.0.0.1:8000/a"),
        ("//evil.example/a", "http://127.0.0.1:8000/evil.example/a"),
    ],
)
def test_links_in_mail_always_lead_to_this_site(app: Zhiliu, link: str, expected: str) -> None:
    assert mail.absolute(link) == expected


def test_the_last_administrator_stays(app: Zhiliu) -> None:
    org = make_org()
    actor = make_actor("operator", ("admin",), org)
    mine = members.members_of(org.id)[0][0]
    for act in (
        lambda: members.deactivate(mine.id, actor),
        lambda: members.change_roles(mine.id, ["viewer"], actor),
    ):
        with pytest.raises(Refused) as refused:
            act()
        assert refused.value.code == "last_admin"
    make_user(org, ("admin",))
    assert members.change_roles(mine.id, ["viewer"], actor).roles == ["viewer"]


def test_members_of_others_do_not_exist_for_us(app: Zhiliu) -> None:
    theirs = make_org()
    make_user(theirs)
    row = members.members_of(theirs.id)[0][0]
    with pytest.raises(NotFound):
        members.deactivate(row.id, make_actor("operator"))
    with pytest.raises(Forbidden):
        members.invite("a@example.cn", ["viewer"], make_actor("operator", ("maker",)))


def test_an_invitation_is_for_its_address_and_for_once(app: Zhiliu) -> None:
    org = make_org()
    actor = admin_of(org)
    invitation, secret = members.invite("New@Example.cn", ["maker"], actor)
    assert secret not in str(invitation.__dict__) and secret in mails()[-1]["body"]
    with pytest.raises(Refused) as refused:
        members.accept_invitation(secret, make_user(email="other@example.cn"), actor)
    assert refused.value.code == "invitation_other_address"
    joined = members.accept_invitation(secret, make_user(email="new@example.cn"), actor)
    assert joined.roles == ["maker"] and joined.org_id == org.id
    with pytest.raises(NotFound):
        members.find_invitation(secret)


def test_revoked_expired_and_replaced_invitations_are_void(app: Zhiliu) -> None:
    actor = make_actor("operator")
    _first, old = members.invite("a@example.cn", ["viewer"], actor)
    second, new = members.invite("a@example.cn", ["viewer"], actor)
    with pytest.raises(NotFound):
        members.find_invitation(old)
    members.find_invitation(new)
    db.session.get_one(Invitation, second.id).expires_at = now() - timedelta(seconds=1)
    db.session.flush()
    with pytest.raises(NotFound):
        members.find_invitation(new)
    third, last = members.invite("a@example.cn", ["viewer"], actor)
    members.revoke_invitation(third.id, actor)
    with pytest.raises(NotFound):
        members.find_invitation(last)


def test_a_token_stands_for_its_organisation_within_its_scopes(app: Zhiliu) -> None:
    actor = make_actor("bank")
    token, secret = tokens.create_token("贷后系统", ["cases:read", "bids:write"], 30, actor)
    assert secret.encode() not in token.token_hash and secret[9:] not in token.prefix
    found = tokens.actor_of_token(secret)
    assert found is not None
    assert (found.org_id, found.roles, found.user_id) == (actor.org_id, frozenset({"maker"}), None)
    assert found.scopes == {"cases:read", "bids:write"} and found.token_id == token.id
    db.session.refresh(token)
    assert token.last_used_on is not None
    assert tokens.actor_of_token(secret + "x") is None and tokens.actor_of_token("zl_") is None
    tokens.revoke_token(token.id, actor)
    db.session.flush()
    assert tokens.actor_of_token(secret) is None


def test_a_token_ends_and_costs_one_query(app: Zhiliu) -> None:
    actor = make_actor("bank")
    token, secret = tokens.create_token("甲", ["cases:read"], 30, actor)
    tokens.actor_of_token(secret)
    statements: list[str] = []
    sql_event.listen(db.engine, "before_cursor_execute", lambda *a: statements.append(a[2]), named=False)
    tokens.actor_of_token(secret)
    assert len(statements) == 1
    db.session.get_one(ApiToken, token.id).expires_at = now() - timedelta(seconds=1)
    db.session.flush()
    assert tokens.actor_of_token(secret) is None
    with pytest.raises(Invalid) as refused:
        tokens.create_token(" ", ["everything"], -1, actor)
    assert codes(refused) == {"name_needed", "scopes_needed", "lifetime"}
    with pytest.raises(NotFound):
        tokens.revoke_token(token.id, make_actor("bank"))
