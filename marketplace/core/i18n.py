"""Languages: Chinese is the source, English is complete. Each room keeps its own catalogue.

When the program runs the catalogues are one: a Chinese text has one English everywhere. Where two meanings share
their Chinese, one of them carries a context: ``_lp("subject", "来款")``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from babel import Locale
from flask import Flask, Response, current_app, has_request_context, request, session
from flask_babel import Babel, get_locale, ngettext
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import lazy_pgettext as _lp
from flask_babel.speaklater import LazyString
from markupsafe import Markup, escape

from marketplace.core.direct import this_request
from marketplace.core.sources import NAMED, source_text

LANGUAGES = {"zh": "中文", "en": "English"}
LANGUAGE_COOKIE = "zhiliu_lang"  # outlives the session: whose sign-in expired reads the same language as before
ROOT = Path(__file__).resolve().parent.parent
CHINESE = re.compile("[\u4e00-\u9fff]")
babel = Babel()


def catalogue_dirs() -> list[Path]:
    """One translations folder a room: ``marketplace/<room>/translations``."""
    return sorted(p for p in ROOT.glob("*/translations") if p.is_dir())


def choose_language() -> str:
    """The user's choice (``?lang=``, then session, then what an ended session left), then Chinese. The browser's wish
    is not asked: notices are Chinese documents first, and a shared link must read the same for all."""
    if not has_request_context():
        return "zh"
    this = this_request()
    asked = this.args.get("lang") if this.query_string else None
    program = this.path.startswith("/api/")  # its call leaves no cookie and looks at none
    if asked in LANGUAGES:
        if not program:
            session["lang"] = asked
        return asked
    if program:
        return "zh"
    kept = session.get("lang") or this.cookies.get(LANGUAGE_COOKIE)
    if kept in LANGUAGES:
        return kept
    return "zh"


def remember_language(response: Response) -> Response:
    """After a request that changed the session: its language goes into a cookie of its own."""
    chosen = session.get("lang") if session.modified else None
    if chosen in LANGUAGES and chosen != request.cookies.get(LANGUAGE_COOKIE):
        secure = bool(current_app.config["SESSION_COOKIE_SECURE"])
        response.set_cookie(LANGUAGE_COOKIE, chosen, max_age=365 * 86400, secure=secure, httponly=True, samesite="Lax")
    return response


def source_words(source: object) -> str:
    """The source of a rule in the reader's language; nothing for none."""
    return source_text(str(source), str(get_locale() or "zh")) if source else ""


def marked_source(source: object) -> Markup:
    """The same for a page: the Chinese name of a law in an English text is marked as Chinese, for screen readers."""
    text = escape(source_words(source))
    if str(get_locale() or "zh") == "zh":
        return text
    return Markup(NAMED.sub(lambda found: f'(<span lang="zh-CN">{found[1]}</span>)', str(text)))  # noqa: S704 (escaped)


def spoken(text: object) -> Markup:
    """The attribute that tells a screen reader to read a person's Chinese as Chinese on the English page, with its
    space; nothing where the text speaks the page's language: ``<p{{ row.text|spoken }}>``."""
    foreign = str(get_locale() or "zh") != "zh" and CHINESE.search(str(text or ""))
    return Markup(' lang="zh-CN"') if foreign else Markup("")


def title_of(thing: Any) -> str:
    """What a listing, lot or right is called in the reader's language: its English title where it has one and the
    reader reads English. ``thing``: an object or a mapping with ``title`` and perhaps ``title_en``, which a lot keeps
    among its frozen ``facts``."""
    read = thing.get if isinstance(thing, Mapping) else lambda name: getattr(thing, name, None)
    english: Any = None
    if str(get_locale() or "zh") == "en":
        english = read("title_en") or (read("facts") or {}).get("title_en")
    return str(english or read("title") or "")


def template_of(text: Any) -> tuple[str, dict[str, Any]]:
    """The Chinese template of a lazy text and what goes into it, to be kept and put into words later; any other text
    as it reads now."""
    if isinstance(text, LazyString) and text._func is _ and len(text._args) == 1:
        return str(text._args[0]), dict(text._kwargs)
    return str(text), {}


def lazy_title(thing: Any) -> LazyString:
    """``title_of`` at the moment of reading: for letters, which go out in each member's language."""
    kept = {"title": thing.title, "title_en": getattr(thing, "title_en", None), "facts": getattr(thing, "facts", None)}
    return LazyString(title_of, kept)


def configure_languages(app: Flask) -> None:
    app.config["BABEL_DEFAULT_LOCALE"] = "zh"
    app.config["BABEL_DEFAULT_TIMEZONE"] = "Asia/Shanghai"
    app.config["BABEL_TRANSLATION_DIRECTORIES"] = ";".join(str(p) for p in catalogue_dirs()) or "translations"
    locales = {name: Locale.parse(name) for name in LANGUAGES}  # once, not with each request
    babel.init_app(app, locale_selector=lambda: locales[choose_language()])
    app.after_request(remember_language)
    app.jinja_env.globals.update(languages=LANGUAGES, current_language=lambda: str(get_locale() or "zh"))
    app.jinja_env.filters.update(source=marked_source, called=title_of, spoken=spoken)


__all__ = [
    "LANGUAGES",
    "_",
    "_l",
    "_lp",
    "configure_languages",
    "get_locale",
    "lazy_title",
    "ngettext",
    "source_words",
    "spoken",
    "template_of",
    "title_of",
]
