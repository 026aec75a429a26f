"""``flask demo``: the sandbox market and a whole sale in front of you."""

from flask.cli import AppGroup

cli = AppGroup("demo", help="The sandbox market.")
