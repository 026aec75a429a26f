"""Elasticsearch for the tests: a node named by ``ELASTICSEARCH_URL``, or one of our own for all workers of a run.

def test_…(elasticsearch, index_prefix):     # the official client; names of indices start with the prefix
def test_…(own_node):                        # a node of the test's own, to freeze, kill and start again
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from typing import NoReturn

import pytest
from elasticsearch import Elasticsearch

from tests.search.contract import engine, spec  # noqa: F401  (fixtures of the contract, for every file here)
from tests.search.elastic import Node, NoNodeHere, is_fetched, start_node
from tests.search.keeper import shared_node

NEED_A_NODE = {"elasticsearch_url", "own_node"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A start may take a minute on a busy machine, and the first run ever downloads the server."""
    seconds = 400 if os.environ.get("ELASTICSEARCH_URL") or is_fetched() else 1200
    for item in items:
        if NEED_A_NODE & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.timeout(seconds))


def no_node(reason: NoNodeHere) -> NoReturn:
    """Skips with the reason; fails where nothing may be skipped."""
    if os.environ.get("ZHILIU_NO_SKIPS"):
        pytest.fail(f"no Elasticsearch: {reason}")
    pytest.skip(f"no Elasticsearch: {reason}; or set ELASTICSEARCH_URL to a node on this machine")


@pytest.fixture(scope="session")
def elasticsearch_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a real node on this machine; workers share it, so indices need names of their own."""
    if url := os.environ.get("ELASTICSEARCH_URL"):
        yield url
        return
    folder = tmp_path_factory.getbasetemp()
    if os.environ.get("PYTEST_XDIST_WORKER"):
        folder = folder.parent  # common to the workers of this run
    try:
        with shared_node(folder) as url:
            yield url
    except NoNodeHere as reason:
        no_node(reason)


@pytest.fixture(scope="session")
def _elasticsearch(elasticsearch_url: str) -> Iterator[Elasticsearch]:
    with Elasticsearch(elasticsearch_url, request_timeout=30) as client:
        yield client


@pytest.fixture
def elasticsearch(_elasticsearch: Elasticsearch, index_prefix: str) -> Iterator[Elasticsearch]:
    """The official client. After the test, its indices (those with the prefix) are removed."""
    yield _elasticsearch
    made = list(_elasticsearch.indices.get(index=f"{index_prefix}*", expand_wildcards="all"))
    if made:
        _elasticsearch.indices.delete(index=",".join(made))


@pytest.fixture
def index_prefix() -> str:
    return f"zhiliu-test-{uuid.uuid4().hex[:12]}-"


@pytest.fixture
def own_node() -> Iterator[Node]:
    """A node that this test alone uses, and may break."""
    try:
        with start_node() as node:
            yield node
    except NoNodeHere as reason:
        no_node(reason)
