"""All pages: one blueprint a room, and the filters their templates use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask_bootstrap import Bootstrap5

from marketplace.web import desk, formats, metrics, navigation

if TYPE_CHECKING:
    from marketplace import Zhiliu


def configure_pages(app: Zhiliu) -> None:
    from marketplace.auctions.views import bp as auctions
    from marketplace.cases.views import bp as cases
    from marketplace.core.files_views import bp as files
    from marketplace.discovery.views import bp as discovery
    from marketplace.interest.views import bp as interest
    from marketplace.listings.views import bp as listings
    from marketplace.money.views import bp as money
    from marketplace.parties.views import bp as parties
    from marketplace.rights.views import bp as rights
    from marketplace.web.views import bp as web

    app.config.update(BOOTSTRAP_SERVE_LOCAL=True, BOOTSTRAP_ICON_SIZE="1em")
    Bootstrap5(app)
    app.jinja_env.policies["ext.i18n.trimmed"] = True
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    formats.configure_formats(app)
    app.jinja_env.filters["event_words"] = desk.event_words
    navigation.configure_navigation(app)
    metrics.configure_metrics(app)
    for blueprint in (web, parties, rights, cases, listings, interest, discovery, auctions, money, files):
        app.register_blueprint(blueprint)
    from marketplace.core.access import name_policy, public

    name_policy(app, "bootstrap.static", public)
