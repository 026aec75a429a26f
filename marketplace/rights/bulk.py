"""The fast path of imports: many rights of one bank checked in memory and merged in a few statements.

A right is known by (kind, canonical number) in its bank. An empty value never erases what is stored; what
differs is updated and noted in ``right_change``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from psycopg import sql
from psycopg.types.json import Jsonb

from marketplace.core import clock
from marketplace.core.actor import Actor
from marketplace.core.db import db
from marketplace.core.errors import Invalid, Problem
from marketplace.core.i18n import _l
from marketplace.rights import watch
from marketplace.rights.rules.kinds import KINDS, Kind
from marketplace.rights.rules.number_patents import PUBLICATION_LETTERS
from marketplace.rights.rules.numbers import NumberRefused, ParsedNumber, candidates, parse_number, parse_uscc
from marketplace.rights.rules.terms import TermRefused, legal_term

AUTO = "auto"  # the kind is read off the number
_PUBLICATION = re.compile(r"^CN\d{7,9}([A-Z])\d?$")
_REGISTERS = {
    "software_registration": Kind.SOFTWARE_COPYRIGHT,
    "software_certificate": Kind.SOFTWARE_COPYRIGHT,
    "plant_variety": Kind.PLANT_VARIETY,
    "trademark": Kind.TRADEMARK,
    "trademark_international": Kind.TRADEMARK,
}
#: Columns a row may fill, with their SQL types.
COLUMNS: dict[str, str] = {
    "kind": "text",
    "number": "text",
    "number_display": "text",
    "number_warnings": "text[]",
    "publication_no": "text",
    "title": "text",
    "title_en": "text",
    "abstract": "text",
    "abstract_en": "text",
    "holder_name": "text",
    "holder_uscc": "text",
    "co_owners": "text[]",
    "filing_date": "date",
    "grant_date": "date",
    "registration_date": "date",
    "first_publication": "date",
    "completion_date": "date",
    "renewed_until": "date",
    "term_end": "date",
    "term_confirmed": "boolean",
    "ipc": "text[]",
    "nice": "text[]",
    "industry": "text",
    "region_code": "text",
    "fee_reduction": "bigint",
    "fees_paid_through": "bigint",
    "extra": "jsonb",
}
_GIVEN = [name for name in COLUMNS if name not in ("kind", "number", "number_display", "number_warnings",
                                                   "term_end", "term_confirmed")]  # fmt: skip
_DATES = ("filing_date", "grant_date", "registration_date", "first_publication", "completion_date")


@dataclass(slots=True)
class PreparedRight:
    """A checked row: column → value, and warnings a person should look at (field, code, Chinese text)."""

    values: dict[str, Any]
    warnings: list[Problem] = field(default_factory=list)

    @property
    def key(self) -> str:
        return f"{self.values['kind']}|{self.values['number']}"


@dataclass(frozen=True, slots=True)
class Counts:
    new: int = 0
    changed: int = 0
    same: int = 0


def kind_of(number: str) -> Kind | None:
    """The kind a number tells of itself: a patent's type digit, a publication's letter, a register's form."""
    match = _PUBLICATION.match(number.strip())
    if match and match[1] in PUBLICATION_LETTERS:
        kind, _, document = PUBLICATION_LETTERS[match[1]]
        return Kind.PATENT_APPLICATION if document == "application" else kind
    for found in candidates(number):
        if found.kind_family in ("cn_patent", "cn_publication"):
            if found.facts.get("document") == "application":
                return Kind.PATENT_APPLICATION
            return Kind(found.facts["patent_type"]) if found.facts.get("patent_type") else None
        if found.kind_family in _REGISTERS:
            return _REGISTERS[found.kind_family]
    return None


def prepare(kind_default: str | None, row: Mapping[str, Any], *, today: date | None = None) -> PreparedRight:
    """Check one row of an import. ``row``: COLUMNS with dates as ``date``, lists as ``list[str]``; ``kind`` or
    ``kind_default`` is a code of KINDS or ``auto``. Refuses (Invalid) with every fault at its field: codes of
    parse_number, parse_uscc, legal_term, ``kind_unclear``, ``required``."""
    problems: list[Problem] = []
    values: dict[str, Any] = {name: row.get(name) for name in _GIVEN}
    text = str(row.get("number") or "")
    wanted = row.get("kind") or kind_default or AUTO
    kind = kind_of(text) if wanted == AUTO else Kind(wanted)
    if kind is None:
        problems.append(_why_unclear(text, today))
    warnings: list[Problem] = []
    number: ParsedNumber | None = None
    if kind is not None:
        try:
            number = parse_number(kind, text, today=today)
        except NumberRefused as refused:
            problems.append(_problem(refused.code, refused.template, "number", refused.params))
    if not row.get("title"):
        problems.append(Problem("required", _l("请填写名称"), "title"))
    if values["holder_uscc"]:
        try:
            values["holder_uscc"] = parse_uscc(values["holder_uscc"]).canonical
        except NumberRefused as refused:
            problems.append(_problem(refused.code, refused.template, "holder_uscc", refused.params))
    term_end, confirmed = None, None
    if kind is not None:
        try:
            term_end, confirmed = _term(kind, values)
        except TermRefused as refused:
            problems.append(_problem(refused.code, refused.template, refused.at[-1], refused.params))
    if problems:
        raise Invalid(problems)
    assert kind is not None and number is not None
    if not values["publication_no"] and number.kind_family == "cn_publication":
        values["publication_no"] = number.canonical
    for code in number.warnings:
        warnings.append(_problem(code, _warning(code), "number", {}))
    values.update(
        kind=kind.value,
        number=number.canonical,
        number_display=number.display,
        number_warnings=list(number.warnings),
        term_end=term_end,
        term_confirmed=confirmed,
    )
    return PreparedRight(values, warnings)


def _why_unclear(text: str, today: date | None) -> Problem:
    """A number that is a patent's but wrong says more than that its kind is not clear."""
    try:
        parse_number(Kind.PATENT_APPLICATION, text, today=today)
    except NumberRefused as refused:
        if refused.code.startswith("patent.") or refused.code == "number.several":
            return _problem(refused.code, refused.template, "number", refused.params)
    return Problem("kind_unclear", _l("不能从号码判断权利类型，请填写权利类型"), "kind")


def _term(kind: Kind, values: Mapping[str, Any]) -> tuple[date | None, bool | None]:
    """Last day in force; None when a date is missing. A mark's renewal is its own record."""
    dates = {name: values[name] for name in _DATES if values.get(name)}
    if values.get("renewed_until") and KINDS[kind].is_mark:
        return values["renewed_until"], True
    if not dates:
        return None, None
    try:
        term = legal_term(kind, **dates)
    except TermRefused as refused:
        if refused.code == "term.date_missing":
            return None, None
        raise
    return term.end, term.confirmed


def _warning(code: str) -> str:
    from marketplace.rights.rules.numbers import WARNINGS

    return WARNINGS[code]


def _problem(code: str, template: str, at: str, params: Mapping[str, Any]) -> Problem:
    return Problem(code, template, at, dict(params))


_MERGED = [name for name in COLUMNS if name not in ("kind", "number")]
_STAGE = sql.SQL(
    "CREATE TEMP TABLE IF NOT EXISTS right_in (place bigint, {}) ON COMMIT DROP; TRUNCATE right_in"
).format(sql.SQL(", ").join(sql.SQL("{} {}").format(sql.Identifier(n), sql.SQL(t)) for n, t in COLUMNS.items()))
_COPY = sql.SQL("COPY right_in (place, {}) FROM STDIN").format(sql.SQL(", ").join(map(sql.Identifier, COLUMNS)))
# a stored right is only touched when something differs; locked in order of id, so two imports never deadlock
_UPDATE = """
WITH pairs AS MATERIALIZED (
  SELECT r.id, {values}, CASE WHEN ({merged}) IS DISTINCT FROM ({held}) THEN to_jsonb(r) END AS before
  FROM right_in i JOIN "right" r ON r.org_id = %(org)s AND r.kind = i.kind AND r.number = i.number
  ORDER BY r.id FOR UPDATE OF r
), changed AS (
  UPDATE "right" r SET {sets}, updated_at = clock_timestamp() FROM pairs m WHERE r.id = m.id AND m.before IS NOT NULL
  RETURNING r.id, m.before, to_jsonb(r) AS after
), noted AS (
  INSERT INTO right_change (right_id, user_id, before, after)
  SELECT c.id, %(user)s,
    (SELECT jsonb_object_agg(b.key, b.value) FROM jsonb_each(c.before) b
      WHERE b.key <> 'updated_at' AND c.after -> b.key IS DISTINCT FROM b.value),
    (SELECT jsonb_object_agg(a.key, a.value) FROM jsonb_each(c.after) a
      WHERE a.key <> 'updated_at' AND c.before -> a.key IS DISTINCT FROM a.value)
  FROM changed c
)
SELECT count(*) FROM changed
"""
_INSERT = """
INSERT INTO "right" (org_id, created_by, source, {columns})
SELECT %(org)s, %(user)s, 'import', {values} FROM right_in i ORDER BY i.place
ON CONFLICT (org_id, kind, number) DO NOTHING
"""
# rights with dates have fees or an end to watch
_DATED_SQL = """
SELECT r.id FROM "right" r JOIN right_in i ON r.org_id = %(org)s AND r.kind = i.kind AND r.number = i.number
WHERE r.term_end IS NOT NULL OR r.filing_date IS NOT NULL
"""
_EMPTY = {"text[]": "'{}'::text[]", "boolean": "true", "jsonb": "'{}'::jsonb"}


def _with_default(name: str) -> str:
    empty = "0" if name == "fee_reduction" else _EMPTY.get(COLUMNS[name])
    return f"coalesce(i.{name}, {empty})" if empty else f"i.{name}"


_UPDATE_SQL = _UPDATE.format(
    values=", ".join(f"coalesce(i.{n}, r.{n}) AS {n}" for n in _MERGED),
    merged=", ".join(f"coalesce(i.{n}, r.{n})" for n in _MERGED),
    held=", ".join(f"r.{n}" for n in _MERGED),
    sets=", ".join(f"{n} = m.{n}" for n in _MERGED),
)
_INSERT_SQL = _INSERT.format(columns=", ".join(COLUMNS), values=", ".join(_with_default(n) for n in COLUMNS))


def upsert(org_id: int, rows: Sequence[PreparedRight], actor: Actor) -> Counts:
    """Merge rows into the bank's rights: counts of new, changed and unchanged ones. Of a key given twice the
    first row counts. Runs in the caller's transaction; running it again changes nothing."""
    first: dict[str, PreparedRight] = {}
    for row in rows:
        first.setdefault(row.key, row)
    if not first:
        return Counts()
    raw: Any = db.session.connection().connection.driver_connection
    with raw.cursor() as cursor:
        for statement in _STAGE.as_string(raw).split(";"):
            cursor.execute(statement)
        with cursor.copy(_COPY) as copy:
            for place, row in enumerate(first.values()):
                copy.write_row([place, *(_sent(row.values.get(name)) for name in COLUMNS)])
        cursor.execute("ANALYZE right_in")  # an unknown table would be joined row by row
        params = {"org": org_id, "user": actor.user_id}
        cursor.execute(_UPDATE_SQL, params)
        changed = cursor.fetchone()[0]
        cursor.execute(_INSERT_SQL, params)
        new = cursor.rowcount
        cursor.execute(_DATED_SQL, params)
        dated = [row[0] for row in cursor.fetchall()]
    if new or changed:
        watch.reschedule_many(dated, clock.today())
    return Counts(new, changed, len(first) - new - changed)


def _sent(value: Any) -> Any:
    if isinstance(value, list):
        # the array's own writing, several times quicker than the driver's for many short rows
        return "{" + ",".join('"' + v.replace("\\", "\\\\").replace('"', '\\"') + '"' for v in value) + "}"
    return Jsonb(value) if isinstance(value, dict) else value
