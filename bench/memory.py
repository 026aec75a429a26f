"""Memory and CPU seconds of processes, read from /proc. On a busy machine CPU seconds say more than the clock."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Resident:
    """MB. ``own`` is the process's own; ``mapped`` is of files, which the machine may drop when it needs the room."""

    own: float
    mapped: float

    def __str__(self) -> str:
        return f"{self.own:.0f} MB own, {self.mapped:.0f} MB mapped"


def family(root: int) -> list[int]:
    """The process and all its descendants."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except (FileNotFoundError, ProcessLookupError):
                continue
    found = [root]
    for one in found:
        found += [pid for pid, parent in parents.items() if parent == one]
    return found


def cpu_seconds(root: int) -> float:
    """CPU seconds, user and system, that the process and its living descendants have used."""
    total = 0
    for pid in family(root):
        try:
            total += sum(map(int, Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]))
        except (FileNotFoundError, ProcessLookupError):
            continue
    return total / os.sysconf("SC_CLK_TCK")


def resident(root: int | str = "self") -> Resident:
    """Of the process with all its descendants."""
    pids = ["self"] if root == "self" else [str(pid) for pid in family(int(root))]
    own = mapped = 0
    for pid in pids:
        try:
            status = Path(f"/proc/{pid}/status").read_text()
        except (FileNotFoundError, ProcessLookupError):
            continue
        sizes = {line.split(":")[0]: int(line.split()[1]) for line in status.splitlines() if line.startswith("Rss")}
        own += sizes.get("RssAnon", 0)
        mapped += sizes.get("RssFile", 0) + sizes.get("RssShmem", 0)
    return Resident(own / 1024, mapped / 1024)


def on_disk(folder: Path) -> float:
    """MB of the files below a folder."""
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) / 2**20
