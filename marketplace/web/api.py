"""/api/v1: the same services as the pages, as JSON, described by an OpenAPI document."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from marketplace import Zhiliu


def configure_api(app: Zhiliu) -> None:
    """Register the rooms' API blueprints."""
