"""Open data: what there is, the feeds for readers, a result list as a table."""

from __future__ import annotations

from xml.etree import ElementTree

from flask import Response, current_app, render_template, request, stream_with_context, url_for
from flask.typing import ResponseReturnValue

from marketplace.core.access import access, public
from marketplace.core.i18n import _
from marketplace.interest import feed, table
from marketplace.interest.views import bp
from marketplace.parties.mail import absolute

ATOM = "http://www.w3.org/2005/Atom"


@bp.get("/open-data")
@access(public)
def open_data() -> ResponseReturnValue:
    """What anyone may take, how, and under which terms."""
    settings = current_app.settings  # type: ignore[attr-defined]
    return render_template(
        "interest/open_data.html",
        licence=settings.open_data_licence,
        licence_url=settings.open_data_licence_url,
        base=settings.base_url,
        page=feed.PAGE,
        most=table.MOST_ROWS,
    )


@bp.get("/open-data/listings.atom")
@access(public)
def atom_listings() -> ResponseReturnValue:
    return _atom("listings", _("知流 · 挂牌变化"))


@bp.get("/open-data/results.atom")
@access(public)
def atom_results() -> ResponseReturnValue:
    return _atom("results", _("知流 · 成交结果"))


def _atom(stream: str, title: str) -> ResponseReturnValue:
    """The latest changes for a feed reader (RFC 4287)."""
    found = feed.latest(stream)
    ElementTree.register_namespace("", ATOM)
    root = ElementTree.Element(f"{{{ATOM}}}feed")

    def add(parent: ElementTree.Element, name: str, text: str = "", **attributes: str) -> ElementTree.Element:
        made = ElementTree.SubElement(parent, f"{{{ATOM}}}{name}", attributes)
        made.text = text or None
        return made

    here = absolute(request.path)
    changed = found.changed_at
    add(root, "id", here)
    add(root, "title", title)
    add(root, "updated", (changed.isoformat() if changed else "1970-01-01T00:00:00+00:00"))
    add(root, "link", rel="self", href=here)
    add(add(root, "author"), "name", "Zhiliu 知流")
    for entry in found.entries:
        item = add(root, "entry")
        facts = entry.facts
        add(item, "id", f"{here}#{entry.position}")
        add(item, "title", f"{facts['number']} {facts.get('title') or facts.get('outcome')}")
        add(item, "updated", entry.changed_at.isoformat())
        add(item, "link", href=absolute(url_for("listings.public_page", number=facts["number"])))
        add(item, "category", term=str(facts.get("state") or facts.get("outcome")))
    body = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    response = Response(body, mimetype="application/atom+xml")
    return conditional(response, changed)


def conditional(response: Response, changed: object) -> Response:
    """ETag and Last-Modified; 304 to whoever has it already."""
    response.add_etag()
    if changed is not None:
        response.last_modified = changed  # type: ignore[assignment]
    response.cache_control.public = True
    response.cache_control.no_cache = True
    return response.make_conditional(request)  # type: ignore[return-value]


@bp.get("/listings.csv")
@access(public)
def result_table() -> ResponseReturnValue:
    """The result list of the address's filters as CSV; ``bom=1`` for spreadsheets that guess encodings."""
    base = current_app.settings.base_url  # type: ignore[attr-defined]
    rows = table.rows(request.query_string.decode("utf-8", "replace"), base)
    lines = stream_with_context(table.as_csv(rows, bom=request.args.get("bom") == "1"))
    response = Response(lines, mimetype="text/csv; charset=utf-8")  # type: ignore[arg-type]
    response.headers["Content-Disposition"] = "attachment; filename=zhiliu-listings.csv"
    response.headers["Cache-Control"] = "no-store"
    return response
