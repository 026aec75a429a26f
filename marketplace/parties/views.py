"""Pages of the parties room. Its URL map:

/join, /join/sent, /join/invitation/<secret>                            views_join
/organisation …, /organisation/new, /organisation/switch                views_organisation
/organisation/members …, /organisation/tokens …, /account …             views_members
/manage/organisations …, /manage/mail …                                 views_manage
"""

from flask import Blueprint, current_app, url_for

from marketplace.core.models import Document
from marketplace.parties.limits import limit_pages

bp = Blueprint("parties", __name__)


@bp.context_processor
def links() -> dict[str, object]:
    """``document_href(document)``: where a document is downloaded."""

    def document_href(document: Document) -> str | None:
        if "files.download" not in current_app.view_functions:
            return None
        return url_for("files.download", document_id=document.id, filename=document.filename)

    return {"document_href": document_href}


from marketplace.parties import views_join, views_manage, views_members, views_organisation  # noqa: E402, F401

bp.record_once(lambda state: limit_pages(state.app))  # type: ignore[arg-type]
