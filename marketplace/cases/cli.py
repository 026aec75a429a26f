"""Commands of the cases room."""

from flask.cli import AppGroup

cli = AppGroup("cases", help="cases")
