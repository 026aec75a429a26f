"""Documents and small helpers for the contract tests."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from search.document import KEYWORDS, NUMBERS, TEXTS, Document
from search.engine import Engine
from search.numbers import forms
from search.query import Query

Spec = tuple[str, str, str]  # engine, its place, its name


def open_spec(spec: Spec) -> Engine:
    """The engine of a test, also from another process."""
    kind, place, name = spec
    if kind == "elastic":
        from search.engines.elastic import Elastic

        return Elastic(place, name)
    from search.engines.embedded import Embedded

    return Embedded(Path(place))


def make(document_id: str, title: str = "", version: int = 1, **fields: Any) -> Document:
    """A document; ``fields`` by their names, one value or several; ``number`` as it is written."""
    texts = {name: fields.pop(name) for name in TEXTS if name in fields}
    if title:
        texts["title"] = title
    keywords: dict[str, tuple[str, ...]] = {}
    for name in KEYWORDS:
        if name in fields:
            value = fields.pop(name)
            keywords[name] = (value,) if isinstance(value, str) else tuple(value)
    if "number" in keywords:
        keywords["number"] = tuple(form for number in keywords["number"] for form in forms(number))
    numbers = {name: fields.pop(name) for name in NUMBERS if name in fields}
    assert not fields, fields
    return Document(document_id, version, texts, keywords, numbers)


def put(engine: Engine, *documents: Document) -> None:
    assert engine.write(documents) == []
    engine.refresh()


def found(engine: Engine, text: str = "", **query: Any) -> list[str]:
    """Ids in their order."""
    return [hit.id for hit in engine.search(Query(text=text, **query)).hits]


def counts(engine: Engine, facet: str, **query: Any) -> dict[str, int]:
    result = engine.search(Query(facets=(facet,), **query))
    return {bucket.value: bucket.count for bucket in result.facets[facet]}


def walk(engine: Engine, query: Query) -> Iterable[list[str]]:
    """Page after page."""
    from dataclasses import replace

    while True:
        result = engine.search(query)
        yield [hit.id for hit in result.hits]
        if not result.cursor:
            return
        query = replace(query, cursor=result.cursor)


def everything(engine: Engine, query: Query) -> list[str]:
    return [one for page in walk(engine, query) for one in page]
