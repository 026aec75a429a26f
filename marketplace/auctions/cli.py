"""Commands of the auctions room."""

from flask.cli import AppGroup

cli = AppGroup("auctions", help="auctions")
