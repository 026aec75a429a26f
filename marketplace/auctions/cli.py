"""``flask auctions course LOT`` and ``flask auctions check``."""

from __future__ import annotations

import sys

import click
from flask.cli import AppGroup

from marketplace.core.db import unit_of_work
from marketplace.core.errors import DomainError

cli = AppGroup("auctions", help="Export and check sales.")


@cli.command("course")
@click.argument("lot")
def course_command(lot: str) -> None:
    """Write the signed course of LOT (its code or number) to the output, as tools/verify_sale.py reads it."""
    from marketplace.auctions import queries
    from marketplace.auctions.rules.course import course_bytes

    with unit_of_work():
        try:
            lot_id = int(lot) if lot.isdigit() else queries.lot_by_code(lot).id
            data = course_bytes(queries.course_document(lot_id))
        except DomainError as error:
            raise click.ClickException(str(error.message)) from None
    sys.stdout.buffer.write(data)


@cli.command("check")
@click.argument("lots", nargs=-1, type=int)
def check_command(lots: tuple[int, ...]) -> None:
    """Check every sale (or these lots) and the ledger; exit code 1 when something does not hold."""
    from marketplace.auctions.invariants import broken

    with unit_of_work():
        found = broken(lots or None)
    for line in found:
        click.echo(line)
    click.echo("ok" if not found else f"{len(found)} broken")
    if found:
        sys.exit(1)
