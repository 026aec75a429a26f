"""``flask demo``: the sandbox market and a whole sale in front of you."""

from __future__ import annotations

import sys
from pathlib import Path

import click


@click.command("demo")
@click.option("--records", type=click.Path(exists=True, dir_okay=False, path_type=Path),
              help="Sell a right imported from this file (CSV, XLSX or JSONL of records).")  # fmt: skip
@click.option("--port", default=8000, show_default=True, help="First port to try.")
@click.option("--sale/--no-sale", default=True, help="Run the sale, or only bring the site up.")
@click.option("--stay/--no-stay", default=True, help="Leave the site up, or end after the sale.")
def cli(records: Path | None, port: int, sale: bool, stay: bool) -> None:
    """Start everything on this machine, run one sandbox sale to its end, leave the site up."""
    from marketplace.demo.run import run

    sys.exit(run(records=records, port=port, sale=sale, stay=stay))
