"""``flask search``: the index and the names of the trees."""

from __future__ import annotations

import click
from flask.cli import AppGroup

cli = AppGroup("search", help="The search index.")


@cli.command("sync")
def sync_command() -> None:
    """Write what waits, now."""
    from marketplace.discovery import sync

    click.echo(f"{sync.run(box_seconds=3600)} documents written")
