"""JSON of the cases room."""

from __future__ import annotations

from flask_smorest import Blueprint

blp = Blueprint("cases_api", __name__, url_prefix="/api/v1")
