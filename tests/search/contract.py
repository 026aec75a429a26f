"""The engines that the contract is run against, as fixtures of this folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from search.engine import Engine
from tests.search.kit import Spec, open_spec

ENGINES = [
    "embedded",
    # the first start of a node downloads it
    pytest.param("elastic", marks=pytest.mark.timeout(1200)),
]


@pytest.fixture(params=ENGINES)
def spec(request: pytest.FixtureRequest, tmp_path: Path) -> Spec:
    """Where an empty engine of this kind may live; nothing of it remains."""
    if request.param == "elastic":
        request.getfixturevalue("elasticsearch")  # removes what the test made
        return "elastic", request.getfixturevalue("elasticsearch_url"), request.getfixturevalue("index_prefix") + "c"
    return "embedded", str(tmp_path / "index"), ""


@pytest.fixture
def engine(spec: Spec) -> Iterator[Engine]:
    made = open_spec(spec)
    made.prepare()
    yield made
