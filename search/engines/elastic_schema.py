"""The fields of an Elasticsearch index, and how a document becomes one of its rows."""

from __future__ import annotations

from typing import Any

from search import analysis, ranking
from search.document import KEYWORDS, NUMBERS, Document
from search.engines import shape

LAYOUT = "v1"  # changes whenever this file changes what is kept
LONGEST_KEYWORD = 500

_TOKENS = {"type": "text", "analyzer": "whitespace"}  # made once in Python, indexed as they are
_KEYWORD = {"type": "keyword", "ignore_above": LONGEST_KEYWORD}
_LONG = {"type": "long"}

MAPPINGS: dict[str, Any] = {
    "dynamic": "strict",
    # the truth is the database: only what suggestions and likeness read comes back
    "_source": {"includes": ["kept"]},
    "properties": {
        "id": {"type": "keyword"},
        "live": {"type": "boolean"},  # missing on tombstones
        "all": _TOKENS,
        **dict.fromkeys(shape.NAMED, _TOKENS),
        "spell": {"type": "text", "analyzer": "standard", "norms": False, "index_options": "docs"},
        "start": {"type": "keyword", "doc_values": False},
        "kept": {"type": "object", "enabled": False},
        **{name: _KEYWORD for name in KEYWORDS if name not in shape.NAMED},
        **dict.fromkeys((*NUMBERS, "rank", "tie"), _LONG),
        "weight": {"type": "double", "index": False},
    },
}


def row(document: Document) -> dict[str, Any]:
    """The document as the index keeps it; of a tombstone only its id."""
    if document.gone:
        return {"id": document.id}
    texts = document.texts
    made = analysis.streams(texts)
    kept: dict[str, Any] = {
        "id": document.id,
        "live": True,
        "all": analysis.combined(made),
        "tie": ranking.tie(document.id),
        "rank": ranking.rank(document.numbers),
        "weight": ranking.weight(document),
        "kept": shape.kept(texts),
        "spell": shape.spelled(texts),
        "start": shape.starts(texts.get("title", ""), texts.get("title_en", ""), texts.get("applicant", "")),
    }
    kept |= {name: stream for name, sources in shape.NAMED.items() if (stream := analysis.named(made, *sources))}
    kept |= {name: list(dict.fromkeys(values)) for name, values in document.keywords.items() if values}
    kept |= document.numbers
    return kept
