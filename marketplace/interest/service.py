"""What other rooms and the edges may ask of standing interest. The acts stand in the modules named here."""

from __future__ import annotations

from marketplace.interest.service_needs import close, expire, publish, save, send_back, submit, take_down
from marketplace.interest.service_responses import decide, respond, withdraw
from marketplace.interest.service_saved import (
    edit,
    hear_again,
    looked,
    pause,
    remove,
    stop,
)
from marketplace.interest.service_saved import save as save_search

__all__ = [
    "close",
    "decide",
    "edit",
    "expire",
    "hear_again",
    "looked",
    "pause",
    "publish",
    "remove",
    "respond",
    "save",
    "save_search",
    "send_back",
    "stop",
    "submit",
    "take_down",
    "withdraw",
]
