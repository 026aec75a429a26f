"""Pages of the cases room; its whole URL map stands here."""

from flask import Blueprint

bp = Blueprint("cases", __name__)
