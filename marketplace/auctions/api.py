"""JSON of the auctions room."""

from __future__ import annotations

from flask_smorest import Blueprint

blp = Blueprint("auctions_api", __name__, url_prefix="/api/v1")
