"""What the rooms above may ask of money (docs/house.md). The acts stand in the modules named here."""

from __future__ import annotations

from marketplace.money.balances import cancel_balance, open_balance, owe_proceeds
from marketplace.money.deposits import (
    apply_deposit,
    forfeit_deposit,
    open_deposit,
    release_deposit,
    release_lot_deposits,
)

__all__ = [
    "apply_deposit",
    "cancel_balance",
    "forfeit_deposit",
    "open_balance",
    "open_deposit",
    "owe_proceeds",
    "release_deposit",
    "release_lot_deposits",
]
