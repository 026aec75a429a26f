"""JSON of the rights room."""

from __future__ import annotations

from flask_smorest import Blueprint

blp = Blueprint("rights_api", __name__, url_prefix="/api/v1")
