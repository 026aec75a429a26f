"""Zhiliu 知流, the application. ``create_app`` reads like a table of contents."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Flask
from flask.typing import ResponseReturnValue

from marketplace.core.settings import Settings, load_settings


class Zhiliu(Flask):
    """Flask whose every view runs in one unit of work: a returned answer commits, an exception rolls back."""

    settings: Settings

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """As it is: no view or hook here is a coroutine, and Flask asks twenty times a request."""
        return func

    def dispatch_request(self) -> ResponseReturnValue:
        from marketplace.core.db import unit_of_work

        with unit_of_work():
            return super().dispatch_request()


def create_app(settings: Settings | None = None) -> Zhiliu:
    """The application with these settings (default: the environment's; refuses to start on a bad one)."""
    import marketplace.all_models  # noqa: F401  every table is known before the first query
    from marketplace.core import access, database, i18n, logs
    from marketplace.core.signing import configure_signing
    from marketplace.parties import sign_in
    from marketplace.web import api, commands, edge, handlers, headers, limits, pages

    app = Zhiliu(__name__, template_folder="../templates", static_folder="web/static")
    app.settings = settings or load_settings()
    logs.configure_logs(app)
    database.configure_database(app)
    configure_signing(app)
    i18n.configure_languages(app)
    headers.configure_headers(app)
    limits.configure_limits(app)
    sign_in.configure_sign_in(app)
    api.configure_tokens(app)
    access.configure_access(app)
    edge.configure_errors(app)
    pages.configure_pages(app)
    api.configure_api(app)
    limits.limit_views(app)
    handlers.connect_handlers(app)
    commands.configure_commands(app)
    return app
