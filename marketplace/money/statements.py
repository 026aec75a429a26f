"""Bank statements: a dry look, the import, and the match of each credit. An import moves no deposit: its money
stands in suspense until two managers confirm what it pays."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from marketplace.core.actor import Actor
from marketplace.core.clock import today
from marketplace.core.db import db
from marketplace.core.errors import Invalid, NotFound, Problem
from marketplace.core.events import record
from marketplace.core.i18n import _l
from marketplace.core.models import StoredFile
from marketplace.money import ledger, texts
from marketplace.money.access import require_maker
from marketplace.money.matching import Expected, Match, match
from marketplace.money.models import Receivable, StatementImport, StatementLine
from marketplace.money.references import references_in
from marketplace.money.statement_file import Credit, Fault, Statement, StatementRefused, read_statement
from marketplace.parties.models import Organisation


@dataclass(frozen=True)
class Look:
    """What an import would do. ``fresh`` are new credits with their match, ``known`` those imported before."""

    sha256: str
    filename: str
    statement: Statement
    fresh: list[tuple[Credit, Match]]
    known: int
    imported: StatementImport | None


def look(content: bytes, filename: str, actor: Actor) -> Look:
    """Read without importing; the bytes are kept so that the import takes exactly what was looked at.

    Refuses (Invalid, field ``file``) a file that is no statement.
    """
    require_maker(actor)
    statement = _read(content, filename)
    sha256 = hashlib.sha256(content).hexdigest()
    kept = insert(StoredFile).values(sha256=sha256, content=content)
    db.session.execute(kept.on_conflict_do_nothing())
    fresh = _fresh(statement)
    return Look(
        sha256,
        filename,
        statement,
        list(zip(fresh, matches(fresh), strict=True)),
        len(statement.credits) - len(fresh),
        db.session.scalar(select(StatementImport).where(StatementImport.sha256 == sha256)),
    )


def import_looked(sha256: str, filename: str, actor: Actor) -> StatementImport:
    """Import the bytes of an earlier look. ``statement_unknown`` when there were none."""
    content = db.session.scalar(select(StoredFile.content).where(StoredFile.sha256 == sha256))
    if content is None:
        raise NotFound("statement_unknown", _l("没有找到先前查看的文件，请重新上传"))
    return import_statement(content, filename, actor)


def import_statement(content: bytes, filename: str, actor: Actor) -> StatementImport:
    """Keep the credits that are new. The same file again gives the same import; a bank number again is left out,
    or listed as a fault when its content differs. New money is booked to suspense."""
    require_maker(actor)
    statement = _read(content, filename)
    row = insert(StatementImport).values(
        filename=filename[:200],
        sha256=hashlib.sha256(content).hexdigest(),
        imported_by=actor.user_id,
        rows_total=statement.rows,
        rows_debit=statement.debits,
    )
    # a second import of the same bytes waits here until the first has committed, then finds it
    import_id = db.session.scalar(row.on_conflict_do_nothing(index_elements=["sha256"]).returning(StatementImport.id))
    if import_id is None:
        return db.session.scalars(
            select(StatementImport).where(StatementImport.sha256 == hashlib.sha256(content).hexdigest())
        ).one()
    new = _insert(import_id, sorted(statement.credits, key=lambda credit: credit.bank_ref))
    faults = statement.faults + _differing(statement.credits, set(new))
    done = db.session.get_one(StatementImport, import_id)
    done.rows_new = len(new)
    done.rows_known = len(statement.credits) - len(new)
    done.faults = [fault.as_json() for fault in faults]
    done.rows_bad = len({fault.row for fault in faults})
    for currency in sorted({credit.currency for credit in statement.credits}):
        total = sum(c.amount_minor for c in statement.credits if c.bank_ref in new and c.currency == currency)
        if total:
            ledger.transfer(
                ledger.transfer_id("statement.import", import_id, currency),
                "statement.import",
                "statement_import",
                import_id,
                ledger.between(ledger.BANK, ledger.SUSPENSE, total),
                actor,
                currency=currency,
            )
    db.session.flush()
    record("statement.imported", "statement_import", import_id, actor, new=len(new), bad=done.rows_bad)
    return done


def _insert(import_id: int, credits: Sequence[Credit]) -> dict[str, int]:
    """Ids of the lines that are new, by bank number."""
    if not credits:
        return {}
    rows = [
        {
            "import_id": import_id,
            "row_no": credit.row,
            "bank_ref": credit.bank_ref,
            "booked_on": credit.booked_on,
            "amount_minor": credit.amount_minor,
            "currency": credit.currency,
            "payer_name": credit.payer_name,
            "payer_account": credit.payer_account,
            "payer_bank": credit.payer_bank,
            "memo": credit.memo,
            "receivable_id": found.receivable_id,
            "match": found.verdict,
            "match_note": " ".join(found.doubts) or None,
        }
        for credit, found in zip(credits, matches(credits), strict=True)
    ]
    kept = insert(StatementLine).on_conflict_do_nothing(index_elements=["bank_ref"])
    made = db.session.execute(kept.returning(StatementLine.bank_ref, StatementLine.id), rows)
    return {row.bank_ref: row.id for row in made}


def _differing(credits: Sequence[Credit], new: set[str]) -> list[Fault]:
    again = {credit.bank_ref: credit for credit in credits if credit.bank_ref not in new}
    if not again:
        return []
    stored = db.session.scalars(select(StatementLine).where(StatementLine.bank_ref.in_(list(again))))
    return [
        Fault(again[line.bank_ref].row, "", "ref_differs", line.bank_ref)
        for line in stored
        if (line.amount_minor, line.booked_on) != (again[line.bank_ref].amount_minor, again[line.bank_ref].booked_on)
    ]


def _fresh(statement: Statement) -> list[Credit]:
    refs = [credit.bank_ref for credit in statement.credits]
    known = set(db.session.scalars(select(StatementLine.bank_ref).where(StatementLine.bank_ref.in_(refs))))
    return [credit for credit in statement.credits if credit.bank_ref not in known]


def _read(content: bytes, filename: str) -> Statement:
    try:
        return read_statement(content, filename, today())
    except StatementRefused as refused:
        message = texts.refusal(refused.code, refused.params)
        raise Invalid([Problem(refused.code, message, "file", refused.params)]) from None


def matches(credits: Sequence[Credit | StatementLine]) -> list[Match]:
    """The match of each credit with what is expected now."""
    found = [references_in(credit.memo) for credit in credits]
    expected = _expected({ref for refs in found for ref in refs})
    return [
        match(refs, credit.amount_minor, credit.currency, credit.payer_name, credit.payer_account, expected)
        for credit, refs in zip(credits, found, strict=True)
    ]


def _expected(references: set[str]) -> dict[str, Expected]:
    if not references:
        return {}
    rows = db.session.execute(
        select(Receivable, Organisation)
        .join(Organisation, Organisation.id == Receivable.org_id)
        .where(Receivable.reference.in_(references))
    )
    return {
        receivable.reference: Expected(
            receivable.id,
            receivable.reference,
            receivable.currency,
            receivable.amount_minor - receivable.received_minor,
            receivable.state == "open",
            (org.name, org.account_name or ""),
            org.account_no or "",
        )
        for receivable, org in rows
    }


def rematch_open() -> None:
    """Look again at the open lines: a reference may have been opened, paid or cancelled since."""
    lines = db.session.scalars(
        select(StatementLine)
        .where(StatementLine.state == "open")
        .order_by(StatementLine.id)
        .with_for_update(key_share=True, skip_locked=True)
    ).all()
    for line, found in zip(lines, matches(lines), strict=True):
        line.match, line.receivable_id = found.verdict, found.receivable_id
        line.match_note = " ".join(found.doubts) or None
    db.session.flush()
