"""The platform's account for deposits, from the settings of the running application."""

from __future__ import annotations

from flask import current_app


def account_line() -> str:
    """Holder, number and bank in one line; empty when not set."""
    settings = current_app.settings  # type: ignore[attr-defined]
    parts = (settings.platform_account_name, settings.platform_account_no, settings.platform_bank_name)
    return "，".join(part for part in parts if part)
