"""Download of documents. What was uploaded is never executable in the browser: its type is the checked one, no
sniffing, a sandbox without scripts, and everything but public PDF files and pictures is saved, not shown."""

from __future__ import annotations

import io

from flask import Blueprint, send_file
from flask.typing import ResponseReturnValue

from marketplace.core import files
from marketplace.core.access import access, current_actor, public

bp = Blueprint("files", __name__)
SANDBOX = "sandbox; default-src 'none'; frame-ancestors 'none'"
# browsers refuse to show a PDF inside a sandbox; it is not a page and runs nothing
SHOWN_PDF = "default-src 'none'; object-src 'self'; style-src 'unsafe-inline'; frame-ancestors 'none'"


@bp.get("/files/<int:document_id>/<filename>")
@access(public)
def download(document_id: int, filename: str) -> ResponseReturnValue:
    """The document's bytes for those who may read it; the name in the address is for people only."""
    document, content = files.read(document_id, current_actor())
    everyone = document.visibility == "public"
    inline = everyone and document.media_type in files.INLINE
    response = send_file(
        io.BytesIO(content),
        mimetype=document.media_type,
        as_attachment=not inline,
        download_name=document.filename,
        etag=document.sha256,
        conditional=True,
    )
    response.headers["Cache-Control"] = "public, no-cache" if everyone else "private, no-store"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    shown_pdf = inline and document.media_type == "application/pdf"
    response.headers["Content-Security-Policy"] = SHOWN_PDF if shown_pdf else SANDBOX
    return response


# the house's policy for pages would replace the stricter one set above
download.talisman_view_options = {"content_security_policy": None}  # type: ignore[attr-defined]
