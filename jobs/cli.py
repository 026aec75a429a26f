"""``flask jobs tick`` and ``flask jobs work QUEUE``."""

from __future__ import annotations

import signal

import click
from flask import current_app
from flask.cli import AppGroup

from jobs import queues, tick, worker

cli = AppGroup("jobs", help="The tick and the workers.")


@cli.command("tick")
def tick_command() -> None:
    """Claim what is due and hand it out, until stopped."""
    stopped = []
    signal.signal(signal.SIGTERM, lambda *_: stopped.append(True))
    signal.signal(signal.SIGINT, lambda *_: stopped.append(True))
    tick.run_for_ever(current_app._get_current_object(), lambda: bool(stopped))  # type: ignore[attr-defined]


@cli.command("work")
@click.argument("queue", type=click.Choice(queues.QUEUES))
def work_command(queue: str) -> None:
    """Work one queue until stopped."""
    worker.work(current_app._get_current_object(), queue)  # type: ignore[attr-defined]
