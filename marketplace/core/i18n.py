"""Languages: Chinese is the source, English is complete. Each room keeps its own catalogue."""

from __future__ import annotations

from pathlib import Path

from flask import Flask, has_request_context, request, session
from flask_babel import Babel, get_locale
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

LANGUAGES = {"zh": "中文", "en": "English"}
ROOT = Path(__file__).resolve().parent.parent
babel = Babel()


def catalogue_dirs() -> list[Path]:
    """One translations folder a room: ``marketplace/<room>/translations``."""
    return sorted(p for p in ROOT.glob("*/translations") if p.is_dir())


def choose_language() -> str:
    """The user's choice (``?lang=``, then session), then Chinese. The browser's wish is not asked: notices are
    Chinese documents first, and a shared link must read the same for all."""
    if not has_request_context():
        return "zh"
    asked = request.args.get("lang")
    if asked in LANGUAGES:
        if not request.path.startswith("/api/"):  # a call of a program leaves no cookie
            session["lang"] = asked
        return asked
    kept = session.get("lang")
    if kept in LANGUAGES:
        return kept
    return "zh"


def configure_languages(app: Flask) -> None:
    app.config["BABEL_DEFAULT_LOCALE"] = "zh"
    app.config["BABEL_DEFAULT_TIMEZONE"] = "Asia/Shanghai"
    app.config["BABEL_TRANSLATION_DIRECTORIES"] = ";".join(str(p) for p in catalogue_dirs()) or "translations"
    babel.init_app(app, locale_selector=choose_language)
    app.jinja_env.globals.update(languages=LANGUAGES, current_language=lambda: str(get_locale() or "zh"))


__all__ = ["LANGUAGES", "_", "_l", "configure_languages", "get_locale"]
