"""Pages of imports: upload, columns, check, run, faults."""

from __future__ import annotations

from typing import Any

from flask import Response, current_app, flash, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import func, select

from marketplace.cases import imports, texts
from marketplace.cases.forms import UploadForm
from marketplace.cases.imports import export, upload
from marketplace.cases.imports.faults import FAULTS, kind_text, text_of
from marketplace.cases.imports.fields import AUTO, TARGETS
from marketplace.cases.models import ImportFault, ImportRun
from marketplace.cases.views import banker, bp
from marketplace.core.access import access, current_actor
from marketplace.core.db import db
from marketplace.core.errors import Invalid, NotFound, Problem
from marketplace.core.i18n import _, _l, _lp, get_locale
from marketplace.rights.rules.kinds import KINDS

FAULTS_A_PAGE = 100
STATES = {
    "uploaded": _l("待确认列的对应"),
    "mapped": _l("待检查"),
    "checking": _l("正在检查"),
    "checked": _l("已检查"),
    "running": _l("正在导入"),
    "done": _l("已导入"),
    "failed": _l("已中断"),
}
TONES = {"checking": "live", "running": "live", "done": "good", "failed": "bad", "checked": "info"}
TARGET_NAMES = {"rights": _lp("import", "权利"), "cases": _lp("import", "案件")}


@bp.get("/imports")
@access(banker)
def import_list() -> ResponseReturnValue:
    runs = db.session.scalars(
        select(ImportRun).where(ImportRun.org_id == current_actor().org_id).order_by(ImportRun.id.desc()).limit(100)
    ).all()
    return render_template("cases/imports.html", runs=runs, states=STATES, tones=TONES, targets=TARGET_NAMES)


@bp.get("/imports/new")
@access(banker)
def import_new() -> ResponseReturnValue:
    target = request.args.get("target", "rights")
    return render_template("cases/upload.html", form=UploadForm(formdata=None, target=target))


@bp.post("/imports/new")
@access(banker)
def import_upload() -> ResponseReturnValue:
    form = UploadForm()
    file = request.files.get("file")
    if form.validate():
        try:
            if file is None or not file.filename:
                raise Invalid([Problem("file_missing", _l("请选择文件"), "file")])
            max_mb: int = current_app.settings.max_upload_mb  # type: ignore[attr-defined]
            content = file.stream.read(max_mb * 1024 * 1024 + 1)
            if len(content) > max_mb * 1024 * 1024:
                raise Invalid([Problem("file_too_large", _l("文件过大：最多 %(max)s MB", max=max_mb), "file")])
            run = imports.create_run(current_actor(), form.target.data, file.filename, content)
        except Invalid as refused:
            form.add(refused.problems)
        else:
            return redirect(url_for("cases.import_mapping", run_id=run.id))
    return render_template("cases/upload.html", form=form), 422


@bp.get("/imports/template/<any('rights', 'cases'):target>.<any('csv', 'xlsx'):form>")
@access(banker)
def import_template(target: str, form: str) -> ResponseReturnValue:
    content = export.template_csv(target) if form == "csv" else export.template_xlsx(target)
    name = {"rights": "权利导入模板", "cases": "案件导入模板"}[target]
    return _attachment(
        content, "text/csv" if form == "csv" else export.XLSX, f"{name}.{form}", f"template-{target}.{form}"
    )


@bp.get("/imports/<int:run_id>/mapping")
@access(banker)
def import_mapping(run_id: int) -> ResponseReturnValue:
    run = imports.run_for(current_actor(), run_id)
    return _mapping_page(run, dict(run.mapping), dict(run.defaults), {})


def _mapping_page(
    run: ImportRun, mapping: dict[str, str], defaults: dict[str, str], errors: dict[str, list[str]]
) -> str:
    samples: dict[str, list[str]] = {}
    for place, column in enumerate(run.columns):
        cells = [row[place] for row in run.samples if place < len(row) and row[place].strip()]
        samples[column] = [cell[:60] for cell in dict.fromkeys(cells)][:3]
    chinese = str(get_locale() or "zh").startswith("zh")
    choices = {
        "kind": [(AUTO, _("按号码判断")), *((k.value, row.zh if chinese else row.en) for k, row in KINDS.items())],
        "path": list(texts.PATHS.items()),
        "basis": list(texts.VALUATION_BASES.items()),
    }
    return render_template(
        "cases/mapping.html",
        run=run,
        fields=TARGETS[run.target],
        mapping=mapping,
        defaults=defaults,
        errors=errors,
        samples=samples,
        choices=choices,
        before=upload.same_file_before(run),
        targets=TARGET_NAMES,
    )


@bp.post("/imports/<int:run_id>/mapping")
@access(banker)
def import_map(run_id: int) -> ResponseReturnValue:
    """Keep the mapping and check the file at once."""
    actor = current_actor()
    run = imports.run_for(actor, run_id)
    names = [field.name for field in TARGETS[run.target]]
    mapping = {name: request.form.get(f"column-{name}", "") for name in names}
    defaults = {name: request.form.get(f"default-{name}", "")[:200] for name in names}
    try:
        with db.session.begin_nested():
            imports.set_mapping(actor, run_id, mapping, defaults)
            imports.start(actor, run_id, dry_run=True)
    except Invalid as refused:
        errors: dict[str, list[str]] = {}
        for problem in refused.problems:
            errors.setdefault(problem.field or "", []).append(str(problem.message))
        return _mapping_page(imports.run_for(actor, run_id), mapping, defaults, errors), 422
    return redirect(url_for("cases.import_page", run_id=run_id))


@bp.get("/imports/<int:run_id>")
@access(banker)
def import_page(run_id: int) -> ResponseReturnValue:
    run = imports.run_for(current_actor(), run_id)
    page = max(request.args.get("page", 1, type=int), 1)
    faults = db.session.scalars(
        select(ImportFault)
        .where(ImportFault.run_id == run.id)
        .order_by(ImportFault.severity, ImportFault.row_no, ImportFault.id)
        .limit(FAULTS_A_PAGE + 1)
        .offset((min(page, 10_000) - 1) * FAULTS_A_PAGE)
    ).all()
    kinds = db.session.execute(
        select(func.count(), func.min(ImportFault.id))
        .where(ImportFault.run_id == run.id)
        .group_by(ImportFault.code, ImportFault.severity, ImportFault.field)
        .order_by(ImportFault.severity, func.count().desc())
    ).all()
    examples = {
        f.id: f for f in db.session.scalars(select(ImportFault).where(ImportFault.id.in_([k[1] for k in kinds])))
    }
    return render_template(
        "cases/import.html",
        run=run,
        faults=faults[:FAULTS_A_PAGE],
        more=len(faults) > FAULTS_A_PAGE,
        page=page,
        kinds=[(kind_text(examples[first]), count, examples[first]) for count, first in kinds],
        text_of=text_of,
        labels={field.name: field.label for field in TARGETS[run.target]},
        states=STATES,
        tones=TONES,
        targets=TARGET_NAMES,
        before=upload.same_file_before(run),
        faults_known=FAULTS,
    )


@bp.get("/imports/<int:run_id>/progress")
@access(banker)
def import_progress(run_id: int) -> ResponseReturnValue:
    """For the page's script while a run goes on."""
    run = imports.run_for(current_actor(), run_id)
    return jsonify(
        state=run.state,
        rows_total=run.rows_total,
        rows_read=run.rows_read,
        rows_new=run.rows_new,
        rows_changed=run.rows_changed,
        rows_same=run.rows_same,
        rows_bad=run.rows_bad,
        over=run.state not in ("checking", "running"),
    )


@bp.post("/imports/<int:run_id>/run")
@access(banker)
def import_run(run_id: int) -> ResponseReturnValue:
    imports.start(current_actor(), run_id, dry_run=False)
    flash(_("导入已开始，可以离开此页，完成后在导入列表中查看。"), "success")
    return redirect(url_for("cases.import_page", run_id=run_id))


@bp.get("/imports/<int:run_id>/bad-rows.csv")
@access(banker)
def import_bad_rows(run_id: int) -> ResponseReturnValue:
    run = imports.run_for(current_actor(), run_id)
    if run.state not in ("checked", "done"):
        raise NotFound("import_unfinished", _l("导入还没有完成"))
    return _attachment(export.bad_rows(run), "text/csv", f"{_('未采用的行')}-{run.id}.csv", f"bad-rows-{run.id}.csv")


def _attachment(content: bytes, media_type: str, name: str, plain_name: str) -> Response:
    response = Response(content, mimetype=media_type)
    response.headers.set("Content-Disposition", "attachment", filename=plain_name)
    from urllib.parse import quote

    response.headers["Content-Disposition"] += f"; filename*=UTF-8''{quote(name)}"
    response.headers["Cache-Control"] = "private, no-store"
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


__all__: list[Any] = []
