"""Pages that belong to no room: home, health."""

from __future__ import annotations

from flask import Blueprint, jsonify, render_template
from flask.typing import ResponseReturnValue

from marketplace.core.access import access, public

bp = Blueprint("web", __name__)


@bp.get("/")
@access(public)
def home() -> ResponseReturnValue:
    return render_template("web/home.html")


@bp.get("/health")
@access(public)
def health() -> ResponseReturnValue:
    return jsonify(status="ok")
