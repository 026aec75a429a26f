"""Vectors of documents in one file: appended to by one builder, mapped by any number of readers.

A row holds the id, a digest of the text that was read, a scale and the vector in whole numbers of 8 bits. A later row
of an id takes the place of an earlier one. A row that a crash cut short is dropped when the file is next opened for
writing. Numbers of 8 bits keep the order of e5 vectors (docs/search.md) at a quarter of the room.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

LONGEST_ID = 64
CHUNK = 512  # rows compared at once: less than 1 MB as 32-bit numbers, which stays in the cache


def digest(name: str, text: str) -> bytes:
    """Of the encoder and the text: a new text, or another encoder, needs a new vector."""
    return hashlib.blake2b(f"{name}\0{text}".encode(), digest_size=8).digest()


class Vectors:
    """The file ``vectors-<encoder>.bin`` in a folder."""

    def __init__(self, folder: Path, name: str, size: int) -> None:
        self.path = folder / f"vectors-{name}.bin"
        self.row = np.dtype(
            [("id", f"S{LONGEST_ID}"), ("digest", "V8"), ("scale", "<f4"), ("vector", "i1", (size,))], align=False
        )
        self._reading = threading.Lock()
        self._seen: tuple[int, int] | None = None
        self._rows: np.ndarray = np.empty(0, self.row)
        self._ids: list[str] = []
        self._live: np.ndarray = np.empty(0, bool)

    # reading

    def __len__(self) -> int:
        return int(self._state()[2].sum())

    def nearest(self, vector: np.ndarray, count: int) -> list[tuple[str, float]]:
        """The ids whose vectors point most the same way, nearest first, with the cosine. Every row is compared."""
        rows, ids, live = self._state()
        if not len(rows):
            return []
        likeness = np.empty(len(rows), np.float32)
        numbers = np.empty((CHUNK, len(vector)), np.float32)
        for start in range(0, len(rows), CHUNK):
            part = rows["vector"][start : start + CHUNK]
            numbers[: len(part)] = part
            np.dot(numbers[: len(part)], vector, out=likeness[start : start + CHUNK])
        likeness *= rows["scale"]
        likeness[~live] = -np.inf
        count = min(count, int(live.sum()))
        best = np.argpartition(-likeness, count - 1)[:count] if count < len(rows) else np.arange(len(rows))[live]
        best = sorted(best.tolist(), key=lambda place: (-likeness[place], ids[place]))
        return [(ids[place], float(likeness[place])) for place in best]

    def digests(self) -> dict[str, bytes]:
        """Id → digest of what its vector was made of."""
        rows, ids, live = self._state()
        return {ids[place]: rows["digest"][place].tobytes() for place in np.flatnonzero(live).tolist()}

    def _state(self) -> tuple[np.ndarray, list[str], np.ndarray]:
        """Mapped again when another process has added rows or put a new file in the place of this."""
        with self._reading:
            try:
                stat = self.path.stat()
            except FileNotFoundError:
                self._seen, self._rows, self._ids, self._live = None, np.empty(0, self.row), [], np.empty(0, bool)
                return self._rows, self._ids, self._live
            if (stat.st_ino, stat.st_size) != self._seen:
                count = stat.st_size // self.row.itemsize
                self._rows = np.memmap(self.path, self.row, "r", shape=(count,)) if count else np.empty(0, self.row)
                self._ids = [one.decode() for one in self._rows["id"].tolist()]
                self._live = np.zeros(count, bool)
                self._live[list({one: place for place, one in enumerate(self._ids)}.values())] = True
                self._seen = stat.st_ino, stat.st_size
            return self._rows, self._ids, self._live

    # writing: one builder at a time

    @contextmanager
    def building(self) -> Iterator[None]:
        """Waits for nobody: ``BlockingIOError`` when another builder is at work."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with open(self.path.with_suffix(".lock"), "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if self.path.exists():
                whole = self.path.stat().st_size // self.row.itemsize * self.row.itemsize
                os.truncate(self.path, whole)
            yield

    def add(self, ids: Sequence[str], digests: Sequence[bytes], vectors: np.ndarray) -> None:
        """Appended and on disk when this returns. Vectors of length 1."""
        rows = self._made(ids, digests, vectors)
        with open(self.path, "ab") as file:
            file.write(rows.tobytes())
            file.flush()
            os.fsync(file.fileno())

    def keep(self, wanted: set[str]) -> int:
        """Write the file anew with the last row of each of these ids only. Gives how many rows went."""
        rows, ids, live = self._state()
        stay = [place for place in np.flatnonzero(live).tolist() if ids[place] in wanted]
        if len(stay) == len(rows):
            return 0
        beside = self.path.with_suffix(".new")
        with open(beside, "wb") as file:
            for start in range(0, len(stay), CHUNK):
                file.write(rows[stay[start : start + CHUNK]].tobytes())
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, self.path)
        return len(rows) - len(stay)

    def _made(self, ids: Sequence[str], digests: Sequence[bytes], vectors: np.ndarray) -> np.ndarray:
        largest = np.abs(vectors).max(axis=1, keepdims=True)
        scales = np.where(largest > 0, largest / 127, 1).astype(np.float32)
        rows = np.empty(len(ids), self.row)
        rows["id"] = [one.encode() for one in ids]
        rows["digest"] = [np.void(one) for one in digests]
        rows["scale"] = scales[:, 0]
        rows["vector"] = np.rint(vectors / scales).astype(np.int8)
        return rows
