"""``flask search``: the index and the names of the trees."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import click
from flask import current_app
from flask.cli import AppGroup

from marketplace.core.actor import Actor
from marketplace.core.db import db, unit_of_work

cli = AppGroup("search", help="The search index.")
ENGINES = click.Choice(("main", "local"))
#: Columns of the files that ``taxonomy`` reads, by what they are called there.
NAMES_ZH, NAMES_EN = ("name_zh", "title_zh"), ("name_en", "title_en")


@cli.command("status")
def status_command() -> None:
    """How the index stands."""
    from marketplace.discovery import queries
    from marketplace.discovery.engines import searching
    from search.engine import EngineDown

    state = queries.state()
    click.echo(f"offers {state.documents}, waiting {state.waiting}, retrying {state.retrying}, dead {state.dead}")
    click.echo(f"oldest unsynced change: {state.oldest_seconds:.0f} s")
    engines = searching()
    for name, engine in (("main", engines.main), ("local", engines.local)):
        if engine is None:
            continue
        try:
            click.echo(f"{name}: {engine.name}, {engine.count()} documents")
        except EngineDown as error:
            click.echo(f"{name}: {engine.name}, away ({error})")
    for scheme, count in sorted(queries.taxonomy_counts().items()):
        click.echo(f"names of {scheme}: {count}")


@cli.command("sync")
def sync_command() -> None:
    """Write what waits, now."""
    from marketplace.discovery import sync

    click.echo(f"{sync.run(box_seconds=3600)} documents written")


@cli.command("reindex")
@click.option("--engine", type=ENGINES, default="main")
def reindex_command(engine: str) -> None:
    """Build the index anew beside the one that answers, then swap."""
    from marketplace.discovery import rebuild, sync

    with unit_of_work():
        made = rebuild.ask(Actor(via="command"), engine, by_worker=False).id

    def progress(done: int, total: int) -> None:
        click.echo(f"{done}/{total}")

    db.session.remove()
    if not rebuild.run(made, progress):
        raise click.ClickException("the rebuild did not end; see `flask search status` and the log")
    click.echo(f"swapped; {sync.run(box_seconds=600)} documents changed meanwhile")


@cli.command("diff")
@click.option("--engine", type=ENGINES, default="main")
@click.option("--repair/--look", default=True, help="Mark what differs for writing, or only say so.")
def diff_command(engine: str, repair: bool) -> None:
    """Compare the database and the index."""
    from marketplace.discovery import compare

    found = compare.compare(engine, repair=repair)
    click.echo(
        f"{found.documents} in the index; offers without a row {found.unknown_offers}, changed {found.changed},"
        f" missing {found.missing}, older {found.older}, newer {found.newer}, unknown {found.strangers}"
    )


@cli.command("dense")
def dense_command() -> None:
    """Make the vectors that search by meaning lacks (SEARCH_DENSE=1). Slow; stopped, it goes on where it was."""
    from marketplace.discovery import rebuild
    from search.choose import vectors_folder
    from search.dense import E5, DenseMissing, build, open_vectors

    settings = current_app.settings  # type: ignore[attr-defined]
    try:
        encoder = E5()
        built = build(
            open_vectors(vectors_folder(settings.search_dir), encoder),
            encoder,
            rebuild.every_document(),
            tell=lambda made: click.echo(f"{made} made"),
        )
    except DenseMissing as error:
        raise click.ClickException(str(error)) from error
    except BlockingIOError as error:
        raise click.ClickException("another process is making vectors") from error
    click.echo(f"{built.made} made, {built.kept} kept, {built.dropped} dropped")


@cli.command("taxonomy")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--scheme", type=click.Choice(("ipc", "industry", "region")), help="Default: by the file's name.")
def taxonomy_command(file: Path, scheme: str | None) -> None:
    """Load the names of a tree: a CSV with code, parent and names (title_zh or name_zh, title_en or name_en)."""
    from marketplace.discovery import service

    guessed = {"ipc": "ipc", "gbt4754": "industry", "industry": "industry", "divisions": "region", "region": "region"}
    wanted = scheme or guessed.get(file.stem)
    if wanted is None:
        raise click.UsageError("name the tree with --scheme")
    with unit_of_work():
        click.echo(f"{service.load_names(wanted, read_names(file))} names of {wanted}")


def read_names(file: Path) -> Iterator[tuple[str, str | None, str, str | None]]:
    """(code, parent, Chinese, English) of each row."""
    with file.open(encoding="utf-8-sig", newline="") as lines:
        for row in csv.DictReader(lines):

            def one(names: tuple[str, ...], row: dict[str, str] = row) -> str:
                return next((row[name].strip() for name in names if row.get(name)), "")

            yield one(("code",)), one(("parent",)) or None, one(NAMES_ZH), one(NAMES_EN) or None
