"""Vectors for search by meaning, made from the offers in the database."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

try:
    import numpy  # noqa: F401
except ImportError:
    if os.environ.get("ZHILIU_NO_SKIPS"):
        raise
    pytest.skip("the extra zhiliu[dense] is not installed", allow_module_level=True)

from marketplace import Zhiliu
from marketplace.core.db import db
from marketplace.discovery.cli import cli
from search.choose import vectors_folder
from search.dense import DenseMissing, open_vectors
from tests.factories.listings import make_listing
from tests.unit.search.fake_encoder import ThemeEncoder


@pytest.fixture
def encoder(app: Zhiliu, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ThemeEncoder:
    made = ThemeEncoder()
    monkeypatch.setattr("search.dense.E5", lambda: made)
    monkeypatch.setattr(app.settings, "search_dir", tmp_path / "search")
    return made


def test_the_command_makes_what_is_missing_and_nothing_twice(app: Zhiliu, encoder: ThemeEncoder) -> None:
    listings = [make_listing() for _ in range(3)]
    db.session.commit()
    run = app.test_cli_runner()
    assert "3 made, 0 kept, 0 dropped" in run.invoke(cli, ["dense"]).output
    assert len(encoder.read) == 3
    made = open_vectors(vectors_folder(app.settings.search_dir), encoder)
    assert set(made.digests()) == {str(listing.id) for listing in listings}
    make_listing()
    db.session.commit()
    assert "1 made, 3 kept, 0 dropped" in run.invoke(cli, ["dense"]).output
    assert len(encoder.read) == 4


def test_a_second_command_and_a_missing_extra_are_said(
    app: Zhiliu, encoder: ThemeEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = app.test_cli_runner()
    with open_vectors(vectors_folder(app.settings.search_dir), encoder).building():
        assert "another process is making vectors" in run.invoke(cli, ["dense"]).output

    def missing() -> None:
        raise DenseMissing("install it")

    monkeypatch.setattr("search.dense.E5", missing)
    answer = run.invoke(cli, ["dense"])
    assert (answer.exit_code, answer.output) == (1, "Error: install it\n")
