"""``flask cases``: import a file for a bank from the command line."""

from __future__ import annotations

import time
from pathlib import Path

import click
from flask.cli import AppGroup
from sqlalchemy import func, select

from marketplace.cases import imports
from marketplace.cases.imports import running
from marketplace.cases.imports.faults import text_of
from marketplace.cases.imports.fields import TARGETS
from marketplace.cases.models import ImportFault, ImportRun
from marketplace.core.actor import BANK, Actor
from marketplace.core.db import db, unit_of_work
from marketplace.core.errors import DomainError
from marketplace.parties.models import Organisation

cli = AppGroup("cases", help="Cases and their imports.")


@cli.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--bank", required=True, help="The bank's name, credit code or id.")
@click.option("--target", type=click.Choice(sorted(TARGETS)), default="rights", show_default=True)
@click.option("--map", "maps", multiple=True, metavar="FIELD=COLUMN", help="Take a field from this column.")
@click.option("--set", "sets", multiple=True, metavar="FIELD=VALUE", help="A value for a missing column.")
@click.option("--dry-run", is_flag=True, help="Check only; nothing is kept.")
def import_command(
    file: Path, bank: str, target: str, maps: tuple[str, ...], sets: tuple[str, ...], dry_run: bool
) -> None:
    """Import FILE (CSV, XLSX or JSON Lines). The columns are guessed from the header, --map corrects the guess.

    The same file twice changes nothing. Ends with code 1 when rows were refused.
    """
    started = time.monotonic()
    try:
        with unit_of_work():
            actor = _actor(bank)
            run = imports.create_run(actor, target, file.name, file.read_bytes(), allow_jsonl=True)
            mapping = dict(run.mapping) | _pairs(maps, "--map")
            defaults = dict(run.defaults) | _pairs(sets, "--set")
            imports.set_mapping(actor, run.id, mapping, defaults, save=False)
            imports.start(actor, run.id, dry_run=dry_run, by_worker=False)
            run_id, total = run.id, run.rows_total
            for field, column in run.mapping.items():
                click.echo(f"  {field} <- {column}")
            for field, value in run.defaults.items():
                click.echo(f"  {field} = {value}")
        more = True
        while more:
            with unit_of_work():
                more = running.run_chunk(run_id)
                read = db.session.scalar(select(ImportRun.rows_read).where(ImportRun.id == run_id))
            click.echo(f"  {read} / {total}")
    except DomainError as refused:
        lines = [f"{p.field or '-'}: {str(p.message) % p.params if p.params else p.message}" for p in refused.problems]
        raise click.ClickException("\n  ".join([refused.code, *lines])) from None
    run = db.session.get_one(ImportRun, run_id)
    seconds = max(time.monotonic() - started, 0.001)
    word = "would be " if dry_run else ""
    click.echo(
        f"{file.name}: {run.rows_read} rows in {seconds:.1f} s ({run.rows_read / seconds:.0f} rows/s): "
        f"{run.rows_new} {word}new, {run.rows_changed} {word}changed, {run.rows_same} the same, {run.rows_bad} refused"
    )
    _faults(run_id)
    if run.rows_bad:
        raise SystemExit(1)


def _faults(run_id: int) -> None:
    """Each kind of fault once, with how often it came and where first."""
    kinds = db.session.execute(
        select(ImportFault.code, ImportFault.severity, func.count(), func.min(ImportFault.id))
        .where(ImportFault.run_id == run_id)
        .group_by(ImportFault.code, ImportFault.severity)
        .order_by(func.count().desc())
    ).all()
    for code, severity, count, first_id in kinds:
        first = db.session.get_one(ImportFault, first_id)
        where = f"row {first.row_no}" + (f", {first.column}" if first.column else "")
        click.echo(f"  {severity} {code} x {count}, first at {where}: {text_of(first)} {first.value or ''}".rstrip())


def _pairs(items: tuple[str, ...], option: str) -> dict[str, str]:
    pairs = {}
    for item in items:
        name, sign, value = item.partition("=")
        if not sign or not name:
            raise click.BadParameter(f"{item!r}: write FIELD=VALUE", param_hint=option)
        pairs[name.strip()] = value.strip()
    return pairs


def _actor(bank: str) -> Actor:
    """The system in the name of one bank, found by name, credit code or id."""
    query = select(Organisation).where(Organisation.kind == BANK)
    if bank.isascii() and bank.isdigit() and len(bank) < 18:
        query = query.where(Organisation.id == int(bank))
    else:
        query = query.where((Organisation.name == bank) | (Organisation.uscc == bank.upper()))
    found = db.session.scalars(query).all()
    if len(found) != 1:
        names = ", ".join(db.session.scalars(select(Organisation.name).where(Organisation.kind == BANK).limit(10)))
        raise click.BadParameter(f"{'no' if not found else 'more than one'} bank {bank!r}; known: {names or '-'}")
    org = found[0]
    return Actor(org_id=org.id, org_kind=org.kind, org_verified=org.state == "verified", via="command")
