"""Saved searches: made, changed, paused and deleted by whoever made them; a shared one by any maker of its house."""

from __future__ import annotations

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import insert

from marketplace.core.actor import Actor
from marketplace.core.clock import now
from marketplace.core.db import db
from marketplace.core.errors import Forbidden, Invalid, NotFound, Problem, Refused
from marketplace.core.events import record
from marketplace.core.i18n import _l
from marketplace.interest import standing, stored
from marketplace.interest.models import OFTEN, SavedSearch, SavedSearchHit, SavedSearchMute
from marketplace.parties import service as parties

MOST_SEARCHES = 30  # of one user, shared ones too
LONGEST_NAME = 80


def _unknown() -> NotFound:
    return NotFound("saved_search_unknown", _l("没有这个订阅"))


def _own(actor: Actor, search_id: int) -> SavedSearch:
    """A search that the actor may change, locked: one's own, or a shared one of the house for its makers."""
    if actor.user_id is None:
        raise Forbidden("person_needed", _l("此操作须由本机构的成员提出"))
    search = db.session.scalar(
        select(SavedSearch)
        .where(SavedSearch.id == search_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if search is None or not may_change(actor, search):
        raise _unknown()
    return search


def may_change(actor: Actor, search: SavedSearch) -> bool:
    shared = search.shared and search.org_id == actor.org_id and actor.org_id is not None
    return (search.user_id == actor.user_id and (not search.shared or shared)) or (shared and actor.may("maker"))


def _checked(name: str, often: str) -> str:
    problems = []
    name = " ".join(name.split())
    if not name:
        problems.append(Problem("required", _l("请填写此项"), "name"))
    if len(name) > LONGEST_NAME:
        problems.append(Problem("too_long", _l("内容过长"), "name", {"limit": LONGEST_NAME}))
    if "\0" in name:
        problems.append(Problem("bad_character", _l("含有不能使用的字符"), "name"))
    if often not in OFTEN:
        problems.append(Problem("often_unknown", _l("请选择多久通知一次"), "often"))
    if problems:
        raise Invalid(problems)
    return name


def save(actor: Actor, query: str, name: str, often: str, *, shared: bool = False) -> SavedSearch:
    """Keep a search. ``query`` is any query string of the search page; its canonical form is kept. The same search
    saved twice is one, with the new name and rhythm. Refused: ``person_needed``, ``organisation_needed`` (shared),
    ``role_needed`` (shared, not a maker), ``too_many_searches``, faults of the fields (Invalid)."""
    if actor.user_id is None:
        raise Forbidden("person_needed", _l("此操作须由本机构的成员提出"))
    name = _checked(name, often)
    if shared:
        if actor.org_id is None:
            raise Forbidden("organisation_needed", _l("请先登记您所代表的机构"))
        actor.require("maker")
    canonical = stored.canonical(query)
    # searches of one user are made one after the other, so that the limit holds
    db.session.execute(select(func.pg_advisory_xact_lock(0x1A7E, actor.user_id % 2**31)))
    mine = list(db.session.scalars(select(SavedSearch).where(SavedSearch.user_id == actor.user_id)))
    house = actor.org_id if shared else None
    for row in mine:
        if row.query == canonical and row.shared == shared and (not shared or row.org_id == house):
            row.name, row.often, row.paused = name, often, False
            db.session.flush()
            return row
    if len(mine) >= MOST_SEARCHES:
        raise Refused("too_many_searches", _l("订阅已达上限，请先删除不用的订阅"), limit=MOST_SEARCHES)
    demo = actor.org_id is not None and parties.get_org(actor.org_id).demo
    search = SavedSearch(
        user_id=actor.user_id, org_id=actor.org_id, shared=shared, name=name, query=canonical, often=often, demo=demo
    )
    db.session.add(search)
    db.session.flush()
    record("saved_search.made", "saved_search", search.id, actor)
    standing.wake()
    return search


def edit(actor: Actor, search_id: int, name: str, often: str) -> SavedSearch:
    """Another name or rhythm. What was found under the old rhythm is not mailed under the new one."""
    name = _checked(name, often)
    search = _own(actor, search_id)
    if search.often != often:
        _leave_untold(search.id)
    search.name, search.often = name, often
    return search


def pause(actor: Actor, search_id: int, paused: bool) -> SavedSearch:
    """No mail while paused; what is found meanwhile is listed, and not mailed afterwards."""
    search = _own(actor, search_id)
    if search.paused and not paused:
        _leave_untold(search.id)
    search.paused = paused
    return search


def remove(actor: Actor, search_id: int) -> None:
    """The search and all it found are gone."""
    search = _own(actor, search_id)
    record("saved_search.removed", "saved_search", search.id, actor)
    db.session.delete(search)
    db.session.flush()


def looked(actor: Actor, search_id: int) -> SavedSearch:
    """The reader has seen what is new. Any reader of a shared search counts."""
    search = db.session.get(SavedSearch, search_id)
    if search is None or not may_read(actor, search):
        raise _unknown()
    db.session.execute(update(SavedSearch).where(SavedSearch.id == search_id).values(looked_at=now()))
    return search


def may_read(actor: Actor, search: SavedSearch) -> bool:
    if search.shared:
        return actor.org_id is not None and search.org_id == actor.org_id
    return actor.user_id is not None and search.user_id == actor.user_id


def stop(search_id: int, user_id: int) -> SavedSearch | None:
    """By the signed link of a mail: no more mail of this search to this reader. None when it is gone already."""
    search = db.session.scalar(select(SavedSearch).where(SavedSearch.id == search_id).with_for_update())
    if search is None:
        return None
    if search.shared:
        row = insert(SavedSearchMute).values(search_id=search_id, user_id=user_id)
        db.session.execute(row.on_conflict_do_nothing())
    elif search.user_id == user_id:
        search.often = "never"
    return search


def hear_again(actor: Actor, search_id: int) -> None:
    """A member wants the mail of a shared search again."""
    search = db.session.get(SavedSearch, search_id)
    if search is None or not may_read(actor, search):
        raise _unknown()
    db.session.execute(
        delete(SavedSearchMute).where(SavedSearchMute.search_id == search_id, SavedSearchMute.user_id == actor.user_id)
    )


def _leave_untold(search_id: int) -> None:
    db.session.execute(
        update(SavedSearchHit)
        .where(SavedSearchHit.search_id == search_id, SavedSearchHit.told_at.is_(None), ~SavedSearchHit.known)
        .values(told_at=now())
    )
