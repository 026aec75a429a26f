"""Fill an empty database with the demo market; a second run finds everything in place."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from sqlalchemy import func, select, text

from marketplace import Zhiliu
from marketplace.cases.models import Case
from marketplace.core.clock import SHANGHAI, now
from marketplace.core.db import db, unit_of_work
from marketplace.core.money import format_minor
from marketplace.demo import collateral, interest, names, offers, people
from marketplace.discovery import compare, sync
from marketplace.discovery import queries as search
from marketplace.discovery import service as search_service
from marketplace.discovery.cli import read_names
from marketplace.listings.models import Listing


class NotADemo(RuntimeError):
    """The database holds real organisations; the demo does not touch it."""


def refuse_real(app: Zhiliu) -> None:
    """NotADemo when the database holds organisations that are not demo; looked at before anything is migrated."""
    with app.app_context():
        if db.session.scalar(text("SELECT to_regclass('organisation') IS NOT NULL")):
            real = db.session.scalar(text("SELECT count(*) FROM organisation WHERE NOT demo"))
            if real:
                raise NotADemo(real)
        db.session.remove()


def load(app: Zhiliu, password: str) -> None:
    """People, loans, and offers whose notice runs. Refuses a database with anything that is not demo."""
    refuse_real(app)
    with app.app_context():
        with unit_of_work():
            people.settle(password)
        for number, loan in enumerate(collateral.LOANS):
            with unit_of_work():
                case = collateral.enter(loan, approve=number != 3)
            if number in (1, 2) and not db.session.scalar(select(Listing.id).where(Listing.case_id == case.id)):
                _announce(case.id, number)
        with unit_of_work():
            interest.settle()
        db.session.remove()


def _announce(case_id: int, number: int) -> None:
    """A real-time offer under the pledgee's profile: its notice runs for more than the 30 days of 网拍规定 art. 12."""
    with unit_of_work():
        case = db.session.get_one(Case, case_id)
        at = now()
        day = at.astimezone(SHANGHAI).replace(hour=10, minute=0, second=0, microsecond=0)
        opens = day + timedelta(days=38 + 3 * number)
        value = case.valuation_minor or 0
        offer = offers.draft(case, "pledgee_agreed", opens, opens + timedelta(days=1), value * 7 // 10 // 100)
        offers.tell_parties(offer, at - timedelta(days=4))
    with unit_of_work():
        offers.send(offer)
    if number == 2:
        return  # waits for the managers
    with unit_of_work():
        offers.review(offer)
    with unit_of_work():
        offers.publish(offer)


def next_case(app: Zhiliu) -> int:
    """A fresh approved case for the sandbox sale: each run sells another one."""
    with app.app_context(), unit_of_work():
        count = db.session.scalar(select(func.count()).select_from(Case)) or 0
        loan = collateral.LOANS[0]
        if db.session.scalar(select(Listing.id).join(Case, Case.id == Listing.case_id).where(
                Case.reference == loan.reference)) is None:  # fmt: skip
            return int(db.session.scalar(select(Case.id).where(Case.reference == loan.reference)) or 0)
        things = tuple(
            collateral.Thing(
                t.kind, f"{t.title}（第 {count} 批）", t.title_en, f"{9_900_200 + 10 * count + n}", t.age, t.fields
            )
            for n, t in enumerate(loan.things)
        )
        fresh = collateral.Loan(f"演示-{count + 1:03d}", loan.debtor, loan.principal, loan.value, things)
        return collateral.enter(fresh).id


#: Files of names beside the real records, by the tree they name.
NAME_FILES = {"ipc": "ipc.csv", "industry": "gbt4754.csv", "region": "divisions.csv"}


def fill_index(app: Zhiliu, records: Path | None = None) -> int:
    """Bring the search index in step with what was loaded, before the site is up; whole trees of names where they
    lie beside the real records. Returns how many documents were written."""
    with app.app_context():
        for scheme, name in NAME_FILES.items():
            file = records.parent / name if records is not None else None
            with unit_of_work():
                if file is not None and file.is_file():
                    search_service.load_names(scheme, read_names(file))
                elif not search.taxonomy_counts().get(scheme):
                    search_service.load_names(scheme, names.NAMES[scheme])
        compare.compare(content=False)  # an index that an earlier demo left behind
        written = sync.run(box_seconds=600)
        db.session.remove()
    return written


def summary(app: Zhiliu) -> str:
    with app.app_context():
        total = db.session.scalar(select(func.sum(Case.claim_principal_minor))) or 0
        cases = db.session.scalar(select(func.count()).select_from(Case)) or 0
        db.session.remove()
        return f"{cases} 个案件 cases, 债权本金 claims {format_minor(int(total))}"
