"""What managers and commands do to the index: synonyms, another try for dead documents, names of the trees."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import insert

from marketplace.core.actor import Actor
from marketplace.core.db import db
from marketplace.core.errors import Forbidden, Invalid, NotFound, Problem, Refused
from marketplace.core.events import record
from marketplace.core.i18n import _l
from marketplace.discovery import trees, truth
from marketplace.discovery.models import SearchDocument, SearchSynonym, SearchTaxon
from search.synonyms import LONGEST_MEMBER, MOST_MEMBERS

MOST_GROUPS = 500


def _manager(actor: Actor) -> None:
    if not (actor.is_manager or actor.is_system):
        raise Forbidden("manager_needed", _l("只有平台管理人员可以执行此操作"))


def add_synonyms(actor: Actor, words: Sequence[str]) -> SearchSynonym:
    """A group of words that are searched as one; counts from the next question on. Refused: ``manager_needed``;
    at ``words`` ``too_few``, ``too_many``, ``too_long``, ``group_known``; ``groups_full``."""
    _manager(actor)
    kept = list(dict.fromkeys(" ".join(word.split()) for word in words if word.strip()))
    problems = []
    if len({word.casefold() for word in kept}) < 2:
        problems.append(Problem("too_few", _l("一组至少要有两个不同的词"), "words"))
    if len(kept) > MOST_MEMBERS:
        problems.append(Problem("too_many", _l("一组最多 %(n)s 个词", n=MOST_MEMBERS), "words"))
    for word in kept:
        if len(word) > LONGEST_MEMBER:
            text = _l("“%(word)s…”太长，一个词最多 %(n)s 个字符", word=word[:10], n=LONGEST_MEMBER)
            problems.append(Problem("too_long", text, "words"))
    if not problems and db.session.scalar(select(SearchSynonym.id).where(SearchSynonym.words == sorted(kept))):
        problems.append(Problem("group_known", _l("已经有这一组词"), "words"))
    if problems:
        raise Invalid(problems)
    if (db.session.scalar(select(func.count()).select_from(SearchSynonym)) or 0) >= MOST_GROUPS:
        raise Refused("groups_full", _l("最多保存 %(n)s 组，请先删除不用的", n=MOST_GROUPS))
    row = SearchSynonym(words=sorted(kept), created_by=actor.user_id)
    db.session.add(row)
    db.session.flush()
    record("search.synonyms_added", "search_synonym", row.id, actor, words=row.words)
    return row


def remove_synonyms(actor: Actor, group_id: int) -> None:
    """Take a group away. Refused: ``manager_needed``; ``synonyms_unknown``."""
    _manager(actor)
    row = db.session.get(SearchSynonym, group_id)
    if row is None:
        raise NotFound("synonyms_unknown", _l("没有这一组同义词"))
    record("search.synonyms_removed", "search_synonym", row.id, actor, words=row.words)
    db.session.delete(row)


def retry(actor: Actor, listing_id: int | None = None) -> int:
    """Let a document that failed (or all of them) be written again at once. Refused: ``manager_needed``,
    ``document_not_failing``."""
    _manager(actor)
    failing = SearchDocument.dead | (SearchDocument.attempts > 0)
    rows = update(SearchDocument).where(failing)
    if listing_id is not None:
        rows = rows.where(SearchDocument.listing_id == listing_id)
    found = db.session.scalars(
        rows.values(dead=False, attempts=0, next_try_at=None).returning(SearchDocument.listing_id)
    ).all()
    if not found:
        raise NotFound("document_not_failing", _l("没有失败的文档，可能已经写入"))
    truth.ask_for_sync()
    record("search.retried", "listing" if listing_id else "house", listing_id or 0, actor, documents=len(found))
    return len(found)


def load_names(scheme: str, rows: Iterable[tuple[str, str | None, str, str | None]]) -> int:
    """Names of a tree (code, parent, Chinese, English) in place of those there were; returns how many."""
    db.session.execute(delete(SearchTaxon).where(SearchTaxon.scheme == scheme))
    count, chunk = 0, []
    for code, parent, zh, en in rows:
        steps = trees.path(scheme, code)
        if not steps or not zh:
            continue
        above = parent or (steps[-2] if len(steps) > 1 else None)
        chunk.append({"scheme": scheme, "code": steps[-1], "parent": above, "name_zh": zh, "name_en": en or None})
        if len(chunk) >= 1000:
            count += _insert(chunk)
            chunk = []
    return count + (_insert(chunk) if chunk else 0)


def _insert(rows: list[dict[str, str | None]]) -> int:
    db.session.execute(insert(SearchTaxon).values(rows).on_conflict_do_nothing())
    return len(rows)
