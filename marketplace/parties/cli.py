"""Commands of the parties room."""

from flask.cli import AppGroup

cli = AppGroup("parties", help="parties")
