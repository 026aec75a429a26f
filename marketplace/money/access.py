"""Who may do what with money: managers only, one makes, another approves."""

from __future__ import annotations

from marketplace.core.actor import Actor
from marketplace.core.errors import Forbidden
from marketplace.core.i18n import _l


def require_maker(actor: Actor) -> None:
    """A manager with the maker role, in person. Refuses ``manager_needed``, ``role_needed``."""
    if not actor.is_manager or actor.user_id is None:
        raise Forbidden("manager_needed", _l("只有平台管理人员可以执行此操作"))
    actor.require("maker")
