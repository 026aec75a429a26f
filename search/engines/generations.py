"""Where the embedded index lives: one directory a generation, a pointer to the one that answers, and two locks.

index/current        the name of the generation that answers (replaced in one step)
index/building       the name of the one that a rebuild is filling, if any
index/write.lock     held by the one process that writes
index/rebuild.lock   held as long as a rebuild lives: when it can be had, a leftover ``building`` is dead
"""

from __future__ import annotations

import fcntl
import os
import shutil
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from search.engine import EngineDown

WAIT_SECONDS = 30.0  # for the process that writes; a bulk of a thousand takes well below one
_POLL_SECONDS = 0.01


class Generations:
    """``layout`` names the schema: an index of another layout is not read but made anew."""

    def __init__(self, folder: Path, layout: str) -> None:
        self.folder = folder
        self.layout = layout

    def current(self) -> str | None:
        """The generation that answers; ``None`` when there is none of this layout."""
        return self._read("current")

    def building(self) -> str | None:
        """The generation that a living rebuild fills. A dead one is removed (call with the write lock held)."""
        name = self._read("building")
        if name is None:
            return None
        with suppress(EngineDown), self._lock("rebuild.lock", 0.0):
            self.drop_building()
            return None
        return name

    def path(self, name: str) -> Path:
        return self.folder / name

    def new_name(self) -> str:
        return f"{self.layout}-{uuid.uuid4().hex[:12]}"

    def point(self, pointer: str, name: str) -> None:
        """Let ``current`` or ``building`` name this generation, in one step that survives a crash."""
        beside = self.folder / f"{pointer}.{os.getpid()}.tmp"
        with beside.open("w") as file:
            file.write(name)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(self.folder / pointer)
        descriptor = os.open(self.folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def drop_building(self) -> None:
        name = self._read("building")
        (self.folder / "building").unlink(missing_ok=True)
        if name and name != self.current():
            self.remove(name)

    def remove(self, name: str) -> None:
        """Readers that still hold its files go on undisturbed."""
        shutil.rmtree(self.path(name), ignore_errors=True)

    def sweep(self) -> None:
        """Remove whatever is neither answering nor being built (call with the write lock held)."""
        kept = {self._read("current"), self._read("building")}
        for path in self.folder.iterdir():
            if path.is_dir() and path.name not in kept:
                self.remove(path.name)

    @contextmanager
    def writing(self, seconds: float | None = None) -> Iterator[None]:
        """Be the one that writes; ``EngineDown`` when another does not let go in time."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with self._lock("write.lock", WAIT_SECONDS if seconds is None else seconds):
            yield

    def rebuilding(self) -> int:
        """Become the one rebuild. The lock is held until the descriptor is closed, or its process ends."""
        return self._take("rebuild.lock", 0.0, "another rebuild is running")

    def _read(self, pointer: str) -> str | None:
        try:
            name = (self.folder / pointer).read_text().strip()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise EngineDown(f"the index directory cannot be read: {error}") from error
        return name if name.startswith(f"{self.layout}-") and "/" not in name else None

    @contextmanager
    def _lock(self, name: str, seconds: float) -> Iterator[None]:
        descriptor = self._take(name, seconds, "another process is writing to the index")
        try:
            yield
        finally:
            os.close(descriptor)

    def _take(self, name: str, seconds: float, refusal: str) -> int:
        end = time.monotonic() + seconds
        try:
            descriptor = os.open(self.folder / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise EngineDown(f"the index directory cannot be written: {error}") from error
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return descriptor
            except BlockingIOError:
                if time.monotonic() >= end:
                    os.close(descriptor)
                    raise EngineDown(refusal) from None
                time.sleep(_POLL_SECONDS)
