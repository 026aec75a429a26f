"""Connect each room's handlers of deadlines, outbox topics and approvals by importing them once."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from marketplace import Zhiliu

ROOMS = ("core", "parties", "rights", "cases", "listings", "discovery", "interest", "auctions", "money", "web")


def connect_handlers(app: Zhiliu) -> None:
    for room in ROOMS:
        importlib.import_module(f"marketplace.{room}.handlers")
