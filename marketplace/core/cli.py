"""``flask translations``: keep each room's English catalogue in step with its Chinese source.

Also ``python -m marketplace.core.cli update|compile``, which needs no settings.
"""

from __future__ import annotations

import io
from pathlib import Path

import click
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from flask.cli import AppGroup

from marketplace.core.i18n import ROOT

cli = AppGroup("translations", help="Catalogues of the rooms.")
TEMPLATES = ROOT.parent / "templates"
METHODS = [("**.py", "python"), ("**.html", "jinja2"), ("**.txt", "jinja2")]
KEYWORDS = {"_": None, "_l": None, "gettext": None, "ngettext": (1, 2), "pgettext": ((1, "c"), 2), "_lp": ((1, "c"), 2)}
OPTIONS = {
    "**.html": {"trimmed": "true", "silent": "false"},
    "**.txt": {"trimmed": "true", "silent": "false"},
}


def rooms() -> list[str]:
    return sorted(p.name for p in ROOT.iterdir() if (p / "__init__.py").is_file())


def sources(room: str) -> list[Path]:
    """A room's Python and its templates; the web room also owns the templates outside any room's folder."""
    found = [ROOT / room, TEMPLATES / room]
    if room == "web":
        found += [p for p in TEMPLATES.iterdir() if p.is_dir() and p.name not in rooms()]
    return [p for p in found if p.is_dir()]


def po_path(room: str) -> Path:
    return ROOT / room / "translations" / "en" / "LC_MESSAGES" / "messages.po"


def extract(room: str) -> Catalog:
    catalogue = Catalog(project="zhiliu", header_comment=f"# English of the {room} room.")
    for folder in sources(room):
        for name, line, message, comments, context in extract_from_dir(
            str(folder), METHODS, OPTIONS, keywords=KEYWORDS, strip_comment_tags=True
        ):
            where = (folder / name).relative_to(ROOT.parent).as_posix()
            catalogue.add(message, None, [(where, line)], auto_comments=comments, context=context)
    if room == "web":
        for path in sorted(TEMPLATES.glob("*.html")):
            from babel.messages.extract import extract as extract_file

            with path.open("rb") as file:
                for line, message, comments, context in extract_file(
                    "jinja2", file, KEYWORDS, options=OPTIONS["**.html"]
                ):
                    catalogue.add(
                        message,
                        None,
                        [(f"templates/{path.name}", line)],
                        auto_comments=comments,
                        context=context,
                    )
    return catalogue


def load(room: str) -> Catalog:
    path = po_path(room)
    if not path.is_file():
        return Catalog(locale="en", project="zhiliu", header_comment=f"# English of the {room} room.")
    with path.open("rb") as file:
        return read_po(file, locale="en")


def compile_all() -> int:
    """Write the binary catalogues; returns how many."""
    count = 0
    for path in ROOT.glob("*/translations/*/LC_MESSAGES/messages.po"):
        with path.open("rb") as file:
            catalogue = read_po(file, locale="en")
        with path.with_suffix(".mo").open("wb") as out:
            write_mo(out, catalogue)
        count += 1
    return count


@cli.command("update", with_appcontext=False)
@click.argument("only", nargs=-1)
def update(only: tuple[str, ...]) -> None:
    """Bring the catalogues of all (or the named) rooms up to date and compile them."""
    for room in only or rooms():
        template = extract(room)
        if not len(template):
            continue
        catalogue = load(room)
        catalogue.update(template, no_fuzzy_matching=True)
        catalogue.obsolete.clear()
        path = po_path(room)
        path.parent.mkdir(parents=True, exist_ok=True)
        out = io.BytesIO()
        write_po(out, catalogue, width=110, sort_output=True, no_location=True, omit_header=False)
        path.write_bytes(out.getvalue())
        missing = sum(1 for m in catalogue if m.id and not m.string)
        click.echo(f"{room}: {len(catalogue)} texts, {missing} without English")
    compile_all()


@cli.command("compile", with_appcontext=False)
def compile_command() -> None:
    """Compile the catalogues."""
    click.echo(f"{compile_all()} catalogues")


if __name__ == "__main__":
    cli()
