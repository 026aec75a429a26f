"""Pages of the auctions room; its whole URL map stands here."""

from flask import Blueprint

bp = Blueprint("auctions", __name__)
