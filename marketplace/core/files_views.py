"""Download of documents; never executable in the browser."""

from flask import Blueprint

bp = Blueprint("files", __name__)
