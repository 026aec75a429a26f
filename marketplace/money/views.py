"""Pages of the money room; its whole URL map stands here."""

from flask import Blueprint

bp = Blueprint("money", __name__)
