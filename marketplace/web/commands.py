"""The ``flask`` command line: one group a room."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from marketplace import Zhiliu

ROOMS = ("core", "parties", "cases", "auctions", "discovery")


def configure_commands(app: Zhiliu) -> None:
    from jobs.cli import cli as jobs

    app.cli.add_command(jobs)
    for room in ROOMS:
        app.cli.add_command(importlib.import_module(f"marketplace.{room}.cli").cli)
