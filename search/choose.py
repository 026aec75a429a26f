"""Which engine answers: the one that ``ELASTICSEARCH_URL`` names, or the embedded one."""

from __future__ import annotations

from pathlib import Path

from search.engine import Engine


def open_engine(elasticsearch_url: str | None, index_dir: Path, index_name: str = "zhiliu") -> Engine:
    """Elasticsearch at this address, or else Tantivy with its index under ``index_dir``."""
    if elasticsearch_url:
        from search.engines.elastic import Elastic

        return Elastic(elasticsearch_url, index_name)
    from search.engines.embedded import Embedded

    return Embedded(index_dir)
