"""JSON of the listings room."""

from __future__ import annotations

from flask_smorest import Blueprint

blp = Blueprint("listings_api", __name__, url_prefix="/api/v1")
