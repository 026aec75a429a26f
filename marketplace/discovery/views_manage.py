"""The managers' desk of the index: whether it is in step, what failed, synonyms, the rebuild."""

from __future__ import annotations

import re

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from marketplace.core.access import access, current_actor, manager
from marketplace.core.db import db
from marketplace.core.errors import Invalid
from marketplace.core.i18n import _, _l
from marketplace.discovery import queries, rebuild, service, trees
from marketplace.discovery.engines import LOCAL, MAIN, searching
from marketplace.discovery.forms import SynonymsForm
from marketplace.discovery.views import bp
from marketplace.listings import queries as listings
from marketplace.parties.forms import put_problems
from search.engine import EngineDown

_PARTS = re.compile(r"[\n,，、;；]+")
REBUILD_STATES = {
    "waiting": _l("等待开始"),
    "running": _l("正在重建"),
    "done": _l("已完成"),
    "failed": _l("未完成"),
}
TONES = {"waiting": "neutral", "running": "live", "done": "good", "failed": "bad"}
TREES = {"ipc": _l("技术领域（IPC）"), "industry": _l("行业"), "region": _l("地区")}


@bp.get("/manage/search")
@access(manager)
def manage_search() -> ResponseReturnValue:
    return _desk(SynonymsForm(formdata=None))


def _desk(form: SynonymsForm, status: int = 200) -> ResponseReturnValue:
    failing = queries.dead_documents()
    loaded = queries.taxonomy_counts()
    return render_template(
        "discovery/manage.html",
        state=queries.state(),
        engines=[_engine(name) for name in (MAIN, LOCAL) if name == MAIN or searching().local is not None],
        failing=failing,
        names=listings.labels(row.listing_id for row in failing) if failing else {},
        groups=queries.synonym_groups(),
        rebuilds=queries.rebuilds(),
        rebuild_states=REBUILD_STATES,
        tones=TONES,
        trees=[(TREES[scheme], loaded.get(scheme) or len(trees.TOP[scheme])) for scheme in trees.SCHEMES],
        form=form,
    ), status


def _engine(name: str) -> dict[str, object]:
    """What an engine says of itself; ``count`` is none while it does not answer."""
    engines = searching()
    engine = engines.named(name)
    if name == MAIN and not engines.breaker.may_try():
        return {"name": name, "kind": engine.name, "count": None}
    try:
        count: int | None = engine.count()
    except EngineDown:
        count = None
        if name == MAIN:
            engines.breaker.failed()
    return {"name": name, "kind": engine.name, "count": count}


@bp.post("/manage/search/retry")
@access(manager)
def retry_documents() -> ResponseReturnValue:
    """One failing document (``listing_id``), or all of them."""
    one = request.form.get("listing_id", type=int)
    count = service.retry(current_actor(), one)
    flash(_("已安排重新写入 %(n)s 个文档", n=count), "success")
    return redirect(url_for("discovery.manage_search"))


@bp.post("/manage/search/synonyms")
@access(manager)
def add_synonyms() -> ResponseReturnValue:
    form = SynonymsForm()
    if not form.validate():
        return _desk(form, 422)
    try:
        with db.session.begin_nested():
            service.add_synonyms(current_actor(), _PARTS.split(form.words.data or ""))
    except Invalid as refused:
        put_problems(form, refused)
        return _desk(form, 422)
    flash(_("已添加，从下一次查找起生效"), "success")
    return redirect(url_for("discovery.manage_search") + "#synonyms")


@bp.post("/manage/search/synonyms/<int:group_id>/remove")
@access(manager)
def remove_synonyms(group_id: int) -> ResponseReturnValue:
    service.remove_synonyms(current_actor(), group_id)
    flash(_("已删除，从下一次查找起生效"), "success")
    return redirect(url_for("discovery.manage_search") + "#synonyms")


@bp.post("/manage/search/rebuild")
@access(manager)
def ask_rebuild() -> ResponseReturnValue:
    rebuild.ask(current_actor(), LOCAL if request.form.get("engine") == LOCAL else MAIN)
    flash(_("重建已排队，完成之前仍由现在的索引回答"), "success")
    return redirect(url_for("discovery.manage_search") + "#rebuild")
