"""The fields of the embedded index and how a document becomes one of its rows."""

from __future__ import annotations

import json
from typing import Any

import tantivy

from search import analysis, ranking
from search.branches import TREES, top
from search.document import KEYWORDS, NUMBERS, Document
from search.engines import shape
from search.engines.shape import FACETS, KEPT

LAYOUT = "v2"  # changes whenever this file changes what is kept
#: Between the values of one document in a column that holds them as one: such a column is counted many times faster.
BESIDE = "\x1f"


def build() -> tantivy.Schema:
    """``all`` is ranked; ``kept`` is only stored; ``live`` is missing on tombstones."""
    schema = tantivy.SchemaBuilder()
    schema.add_text_field("id", stored=True, fast=True, tokenizer_name="raw", index_option="basic")
    schema.add_integer_field("version", fast=True)
    schema.add_text_field("live", tokenizer_name="raw", index_option="basic")
    for name in ("all", *shape.NAMED):
        schema.add_text_field(name, tokenizer_name="whitespace", index_option="position")
    schema.add_text_field("spell", tokenizer_name="default", index_option="basic")
    schema.add_text_field("start", tokenizer_name="raw", index_option="basic")
    schema.add_bytes_field("kept", stored=True)
    for name in KEYWORDS:
        schema.add_text_field(name, fast=name in TREES, tokenizer_name="raw", index_option="basic")
        if name in FACETS:
            schema.add_text_field(column(name), fast=True, tokenizer_name="raw", index_option="basic")
    for name in (*NUMBERS, "rank", "tie"):
        schema.add_integer_field(name, fast=True)
    schema.add_float_field("weight", fast=True)
    return schema.build()


def row(document: Document, schema: tantivy.Schema) -> tantivy.Document:
    """The document as the index keeps it; of a tombstone only its id and version."""
    kept: dict[str, Any] = {"id": document.id, "version": document.version}
    if not document.gone:
        kept |= _fields(document)
    return tantivy.Document.from_dict(kept, schema)


def _fields(document: Document) -> dict[str, Any]:
    texts = document.texts
    made = analysis.streams(texts)
    kept: dict[str, Any] = {
        "live": "1",
        "all": analysis.combined(made),
        "tie": ranking.tie(document.id),
        "rank": ranking.rank(document.numbers),
        # the engine multiplies by log2(2 + weight)
        "weight": 2.0 ** ranking.weight(document) - 2.0,
        "kept": json.dumps([texts.get(name, "")[:length] for name, length in KEPT], ensure_ascii=False).encode(),
        "spell": shape.spelled(texts),  # as they are written: the engine parts and lowers the words itself
        "start": shape.starts(texts.get("title", ""), texts.get("title_en", ""), texts.get("applicant", "")),
    }
    kept |= {name: stream for name, sources in shape.NAMED.items() if (stream := analysis.named(made, *sources))}
    kept |= {name: list(dict.fromkeys(values)) for name, values in document.keywords.items() if values}
    for name, values in document.keywords.items():
        if name in FACETS and (tops := top(name, values)):
            kept[column(name)] = BESIDE.join(sorted(set(tops)))
    kept |= document.numbers
    return kept


def column(facet: str) -> str:
    """The column that holds a document's values of a facet (of a tree its top) as one."""
    return f"{facet}_set"


def texts_of(kept: bytes) -> dict[str, str]:
    """The beginnings of a document's texts, as they were kept."""
    return {name: text for (name, _), text in zip(KEPT, json.loads(kept), strict=True) if text}
