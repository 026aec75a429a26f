"""Pages of the listings room; its whole URL map stands here."""

from flask import Blueprint

bp = Blueprint("listings", __name__)
