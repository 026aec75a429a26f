"""The menu of each role, and what templates know about the one who looks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from marketplace.core.access import current_actor
from marketplace.core.i18n import get_locale

if TYPE_CHECKING:
    from marketplace import Zhiliu


def configure_navigation(app: Zhiliu) -> None:
    @app.context_processor
    def known() -> dict[str, object]:
        return {"actor": current_actor(), "lang": str(get_locale() or "zh"), "demo": app.settings.demo}
