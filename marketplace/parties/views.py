"""Pages of the parties room; its whole URL map stands here."""

from flask import Blueprint

bp = Blueprint("parties", __name__)
