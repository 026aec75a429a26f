"""The board of needs: from draft to its end, matched with offers both ways, answered, and who learns whose name."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text

from marketplace import Zhiliu
from marketplace.core import deadlines
from marketplace.core.actor import Actor
from marketplace.core.clock import today
from marketplace.core.db import db, unit_of_work
from marketplace.core.errors import DomainError, Invalid, NotFound
from marketplace.core.models import Deadline
from marketplace.discovery.engines import Breaker, Searching
from marketplace.interest import queries, service
from marketplace.interest.models import Need, NeedMatch, NeedResponse
from search.engines.embedded import Embedded
from tests.factories.interest import MadeNeed, battery_listing, deliver, mails, make_need, need_data
from tests.factories.listings import Made
from tests.factories.parties import make_actor, make_org


@pytest.fixture
def index(app: Zhiliu, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Embedded]:
    made = Embedded(tmp_path / "search")
    made.prepare()
    monkeypatch.setitem(app.extensions, "search", Searching(made, breaker=Breaker(pause=0)))
    yield made


def answer(need: MadeNeed, made: Made, **more: Any) -> NeedResponse:
    row = service.respond(
        made.maker, need.id, made.id, more.get("message", "我们可以提供。"), more.get("contact", "钱经理 138-0000-0000")
    )
    db.session.commit()
    return row


def refused(act: Any, code: str) -> None:
    with pytest.raises(DomainError, match=code):
        act()
    db.session.rollback()


def test_a_need_is_published_by_one_manager_and_ends_on_its_last_day(app: Zhiliu) -> None:
    made = make_need("submitted")
    assert len(mails("等待审核")) == 1
    refused(lambda: service.publish(made.poster, made.id), "manager_needed")
    refused(lambda: service.send_back(made.manager, made.id, "  "), "reason_needed")
    service.publish(made.manager, made.id)
    db.session.commit()
    due = db.session.scalars(select(Deadline).where(Deadline.kind == "need.expire")).one()
    assert made.need.valid_until is not None and due.org_id == made.need.org_id
    with unit_of_work():
        assert service.expire(made.id) == due.due_at  # not yet
    db.session.execute(text("UPDATE need SET valid_until = valid_until - 365"))
    db.session.commit()
    for _twice in range(2):
        with unit_of_work():
            assert service.expire(made.id) is None
    db.session.rollback()
    assert db.session.get_one(Need, made.id).state == "expired"
    assert len(mails("已到期")) == 1


def test_a_returned_need_says_why_and_can_be_sent_again(app: Zhiliu) -> None:
    made = make_need("submitted")
    service.send_back(made.manager, made.id, "请删去联系方式")
    db.session.commit()
    assert db.session.get_one(Need, made.id).state_reason == "请删去联系方式"
    service.save(made.poster, need_data(title="改过的"), made.id)
    service.submit(made.poster, made.id)
    service.publish(made.manager, made.id)
    db.session.commit()
    refused(lambda: service.save(made.poster, need_data(), made.id), "need_not_draft")


def test_all_faults_come_at_once(app: Zhiliu) -> None:
    bad = need_data(title=" ", contact="", ipc="X1, H01M", industry="Z9", region_code="42", wanted="gift",
                    budget_low_minor=5, budget_high_minor=4, valid_until=today(), details="x" * 5000)  # fmt: skip
    with pytest.raises(Invalid) as found:
        service.save(make_actor("enterprise"), bad)
    assert {(p.code, p.field) for p in found.value.problems} == {
        ("required", "title"), ("required", "contact"), ("code_format", "ipc"), ("code_format", "industry"),
        ("code_format", "region_code"), ("wanted_unknown", "wanted"), ("budget_order", "budget_high"),
        ("valid_until_range", "valid_until"), ("too_long", "details"),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("actor", "code"),
    [
        (lambda: make_actor("bank"), "poster_needed"),
        (lambda: make_actor("enterprise", ("viewer",)), "role_needed"),
        (lambda: make_actor("enterprise", org=make_org("enterprise", state="submitted")), "organisation_not_verified"),
        (lambda: Actor(org_id=1, org_kind="enterprise", org_verified=True), "person_needed"),
    ],
)
def test_who_may_post(app: Zhiliu, actor: Any, code: str) -> None:
    refused(lambda: service.save(actor(), need_data()), code)


def test_offers_and_needs_find_each_other_whichever_comes_first(index: Embedded) -> None:
    early = battery_listing()
    deliver()
    need = make_need()
    deliver()
    late = battery_listing()
    deliver()
    other = battery_listing(title="一种桥梁振动的监测方法")
    deliver()
    found = queries.matches_of(need.need)
    assert {row.offer.listing_id for row in found} == {early.id, late.id} and other.id
    codes = {reason["code"] for reason in found[0].reasons}
    assert {"words", "industry", "region_city", "price_within", "wanted_purchase"} <= codes
    for made in (early, late):
        mine = queries.needs_for(made.maker.org_id or 0)
        assert [row.need.id for row in mine] == [need.id]
        assert mine[0].reasons == next(row.reasons for row in found if row.offer.listing_id == made.id)
        assert queries.needs_for(made.maker.org_id or 0, made.id) and not queries.needs_for(made.maker.org_id or 0, 0)
    service.close(need.poster, need.id)
    db.session.commit()
    assert queries.needs_for(early.maker.org_id or 0) == []


def test_a_match_that_no_longer_holds_goes(index: Embedded) -> None:
    need, made = make_need(), battery_listing()
    deliver()
    assert queries.matches_of(need.need)
    db.session.execute(text("SET LOCAL session_replication_role = replica"))
    db.session.execute(text("UPDATE listing SET title = '一种桥梁', summary = '桥梁', industry = NULL"))
    db.session.execute(text("UPDATE listing_right SET snapshot = '{}'"))
    db.session.commit()
    from marketplace.discovery import truth

    truth.mark([made.id])
    db.session.commit()
    deliver()
    assert db.session.scalars(select(NeedMatch)).all() == []


def test_names_and_contacts_are_told_once_both_agreed(app: Zhiliu) -> None:
    poster = make_org("enterprise", name="江夏新材料有限公司")
    need = make_need(actor=make_actor("enterprise", org=poster))
    made = battery_listing()
    row = answer(need, made)
    assert len(mails("收到响应")) == 1

    def told() -> tuple[Any, Any]:
        db.session.rollback()
        ours = queries.own_answers(made.maker.org_id or 0, need.id)[0][1]
        return queries.answers_to(db.session.get_one(Need, need.id))[0], ours

    theirs, ours = told()
    assert (theirs.name, theirs.contact, ours.name, ours.contact) == (None, None, None, None)
    service.decide(need.poster, row.id, accept=True)
    db.session.commit()
    theirs, ours = told()
    assert theirs.contact == "钱经理 138-0000-0000" and ours.contact == "赵联系 139-0000-0000"
    assert ours.name == "江夏新材料有限公司" and theirs.name
    assert len(mails("同意对接")) == 2  # both bankers of the owner
    refused(lambda: service.decide(need.poster, row.id, accept=False), "response_decided")
    refused(lambda: service.withdraw(made.maker, row.id), "response_decided")
    assert service.close(need.poster, need.id, matched=True).state == "matched"  # type: ignore[union-attr]


def test_a_declined_answer_tells_nothing_and_an_open_one_lapses_with_the_need(app: Zhiliu) -> None:
    need = make_need()
    first, second = battery_listing(), battery_listing()
    declined, waiting = answer(need, first), answer(need, second)
    service.decide(need.poster, declined.id, accept=False, reason="参数不符")
    db.session.commit()
    refused(lambda: service.close(need.poster, need.id, matched=True), "no_accepted_response")
    service.close(need.poster, need.id)
    db.session.commit()
    assert db.session.get_one(NeedResponse, waiting.id).state == "lapsed"
    assert len(mails("需求已结束")) == 2  # the two bankers of the one who waited
    found = {a.id: a for a in queries.answers_to(need.need)}
    assert all(a.name is None and a.contact is None for a in found.values())
    refused(lambda: answer(need, first), "need_not_open")


def test_who_may_answer_and_with_what(app: Zhiliu) -> None:
    need, made, other = make_need(), battery_listing(), battery_listing()
    refused(lambda: service.respond(make_actor("enterprise"), need.id, made.id, "a", "b"), "owner_needed")
    refused(lambda: service.respond(made.maker, need.id, other.id, "a", "b"), "listing_not_offered")
    refused(lambda: service.respond(made.maker, need.id, made.id, " ", "b"), "required")
    refused(lambda: service.respond(made.maker, 10**12, made.id, "a", "b"), "need_unknown")
    draft = make_need("draft")
    refused(lambda: service.respond(made.maker, draft.id, made.id, "a", "b"), "need_unknown")
    row = answer(need, made)
    refused(lambda: answer(need, made), "already_responded")
    service.withdraw(made.maker, row.id)
    db.session.commit()
    assert answer(need, made).id != row.id
    refused(lambda: service.withdraw(other.maker, row.id), "response_unknown")
    refused(lambda: service.decide(make_actor("enterprise"), row.id, accept=True), "response_unknown")
    firm = make_org("operator")
    own = make_need(actor=make_actor("operator", org=firm))
    refused(lambda: service.respond(make_actor("operator", org=firm), own.id, made.id, "a", "b"), "own_need")


def test_a_need_of_another_house_does_not_exist(app: Zhiliu) -> None:
    made, other = make_need("draft"), make_actor("enterprise")
    for act in (lambda: service.submit(other, made.id), lambda: service.close(other, made.id),
                lambda: queries.own_need(other, made.id), lambda: queries.public_need(made.id),
                lambda: queries.managed_need(made.id)):  # fmt: skip
        with pytest.raises(NotFound):
            act()
        db.session.rollback()


def test_taken_down_by_a_manager_with_a_public_reason(app: Zhiliu) -> None:
    made = make_need()
    service.take_down(made.manager, made.id, "含有联系方式")
    db.session.commit()
    assert queries.public_need(made.id)[1].state_reason == "含有联系方式"
    assert deadlines.open_for("need", made.id) == []


def test_the_board_filters_and_hides_who_is_anonymous(app: Zhiliu) -> None:
    from marketplace.interest.filters import read_filters

    named = make_need(anonymous=False, title="石墨烯散热膜", ipc="C01B32", industry="C3091", region_code="310000",
                      wanted="licence", budget_high_minor=100_000_00)  # fmt: skip
    hidden = make_need()
    make_need("submitted")
    make_need("closed")

    def ids(**asked: str) -> list[int]:
        return [need.id for need in queries.board(read_filters(asked)).needs]

    assert ids() == [hidden.id, named.id]
    assert (
        ids(q="石墨烯")
        == ids(ipc="C01B")
        == ids(industry="C30")
        == ids(industry="30")
        == ids(region="31")
        == [named.id]
    )
    assert ids(wanted="purchase") == [hidden.id] and ids(budget="50万") == [hidden.id]
    assert len(ids(ended="1")) == 1
    assert ids(ipc="'; --", industry="?", budget="x", region="abc", page="999") == [hidden.id, named.id]
    shown = {need.id: need for need in queries.board(read_filters({})).needs}
    assert shown[hidden.id].poster is None and shown[named.id].poster
    assert not any("139-0000" in str(need) for need in shown.values())


def test_valid_until_counts_days_of_shanghai(app: Zhiliu) -> None:
    made = make_need(valid_until=today() + timedelta(days=1))
    due = db.session.scalars(select(Deadline).where(Deadline.kind == "need.expire")).one().due_at
    from marketplace.core.clock import SHANGHAI

    local = due.astimezone(SHANGHAI)
    assert (local.hour, local.minute) == (0, 0) and local.date() == today() + timedelta(days=2)
    assert made.id
