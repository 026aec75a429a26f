"""Which engine answers: the one that ``ELASTICSEARCH_URL`` names, or the embedded one."""

from __future__ import annotations

from pathlib import Path

from search.engine import Engine


def open_engine(
    elasticsearch_url: str | None, index_dir: Path, index_name: str = "zhiliu", dense: bool = False
) -> Engine:
    """Elasticsearch at this address, or else Tantivy with its index under ``index_dir``.

    ``dense`` adds search by meaning, its vectors beside ``index_dir``; ``DenseMissing`` without the extra.
    """
    engine = _by_words(elasticsearch_url, index_dir, index_name)
    if not dense:
        return engine
    from search.dense import E5, open_vectors

    encoder = E5()
    from search.engines.fused import Fused

    return Fused(engine, open_vectors(vectors_folder(index_dir), encoder), encoder)


def vectors_folder(index_dir: Path) -> Path:
    """Beside the index, whose folder is swept at each rebuild: ``var/search`` → ``var/search-dense``."""
    return index_dir.with_name(f"{index_dir.name}-dense")


def _by_words(elasticsearch_url: str | None, index_dir: Path, index_name: str) -> Engine:
    if elasticsearch_url:
        from search.engines.elastic import Elastic

        return Elastic(elasticsearch_url, index_name)
    from search.engines.embedded import Embedded

    return Embedded(index_dir)
