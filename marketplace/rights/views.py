"""Pages of the rights room; its whole URL map stands here."""

from flask import Blueprint

bp = Blueprint("rights", __name__)
