"""The pieces of pages: every field with its label, help and error; every list, step and money cell safe and right."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from flask import render_template_string
from flask_wtf import FlaskForm
from flask_wtf.file import FileField
from wtforms import (
    BooleanField,
    DateField,
    DateTimeLocalField,
    FieldList,
    IntegerField,
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired
from wtforms.widgets import CheckboxInput, ListWidget

from marketplace import Zhiliu

UI = '{% import "macros/ui.html" as ui %}'
FORMS = '{% import "macros/forms.html" as forms %}'


class Every(FlaskForm):
    name = StringField("名称", [InputRequired("请填写名称")], description="登记的全称")
    price = StringField("价格", [InputRequired("请填写价格")])
    text = TextAreaField("说明")
    count = IntegerField("数量", [InputRequired("请填写数量")])
    on = DateField("日期")
    at = DateTimeLocalField("时间", format=["%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M"])
    one = SelectField("种类", choices=[SelectChoice("a", "甲"), SelectChoice("b", "乙")])
    way = RadioField("方式", choices=[SelectChoice("x", "丙"), SelectChoice("y", "丁")])
    many = SelectMultipleField(
        "范围",
        choices=[SelectChoice("m", "戊"), SelectChoice("n", "己")],
        option_widget=CheckboxInput(),
        widget=ListWidget(),
    )
    agree = BooleanField("同意", [InputRequired("请勾选")])
    paper = FileField("文件")
    rows = FieldList(StringField("行", [InputRequired("行不能为空")]), min_entries=1)


@pytest.fixture
def page(app: Zhiliu) -> Iterator[Zhiliu]:
    with app.test_request_context("/", method="POST", data={"name": "", "price": "<b>12", "rows-0": ""}):
        yield app


ALL = (
    FORMS
    + """{% call forms.form(form, multipart=True) %}{{ forms.field(form.name) }}{{ forms.money(form.price) }}
{% for f in (form.text, form.count, form.on, form.at, form.one, form.way, form.many, form.agree, form.paper) %}
{{ forms.field(f) }}{% endfor %}{{ forms.submit("保存", cancel="/") }}{% endcall %}"""
)


def test_each_field_has_a_label_and_keeps_what_was_typed(page: Zhiliu) -> None:
    form = Every()
    assert not form.validate()
    html = render_template_string(ALL, form=form)
    for name in ("name", "price", "text", "count", "on", "at", "one", "agree", "paper"):
        assert f'for="{name}"' in html and f'id="{name}"' in html, name
    assert html.count("<legend") == 2
    assert 'value="&lt;b&gt;12"' in html and 'inputmode="decimal"' in html
    assert 'enctype="multipart/form-data"' in html and 'type="datetime-local"' in html


def test_an_error_stands_at_its_field_and_at_the_top(page: Zhiliu) -> None:
    form = Every()
    form.validate()
    html = render_template_string(ALL, form=form)
    assert '<a href="#name">名称：请填写名称</a>' in html
    assert 'aria-describedby="name-help name-error"' in html and 'aria-invalid="true"' in html
    assert '<div class="zl-error" id="name-error"><p>请填写名称</p></div>' in html
    assert "行不能为空" in html  # errors of rows come nested
    assert html.index('role="alert"') < html.index('id="name"')


def test_a_form_without_errors_shows_no_summary(page: Zhiliu) -> None:
    assert "alert" not in render_template_string(ALL, form=Every(formdata=None))


def test_texts_are_escaped_everywhere(page: Zhiliu) -> None:
    bad = "<script>x</script>"
    html = render_template_string(
        UI
        + """{{ ui.page_header(bad, lead=bad, kicker=bad, state=bad, actions=[(bad, bad)], back=(bad, bad)) }}
{{ ui.facts([(bad, bad, bad)]) }}{{ ui.empty_state(bad, bad, (bad, bad)) }}{{ ui.steps([{"title": bad, "text": bad,
"when": bad, "source": bad, "state": "now"}]) }}{{ ui.problems([{"message": bad, "code": bad, "source": bad}]) }}
{{ ui.copyable(bad, bad) }}{{ ui.hash(bad * 3) }}{{ ui.notice(bad, title=bad) }}{{ ui.tabs([(bad, bad, True)]) }}
{{ ui.pager(bad, bad, bad) }}{{ ui.confirm_form(bad, bad, bad, fields={bad: bad}) }}{{ ui.post_button(bad, bad) }}
{% call ui.card(bad) %}{% endcall %}{% call ui.table(bad) %}{% endcall %}""",
        bad=bad,
    )
    assert "<script" not in html and html.count("&lt;script&gt;") > 30


def test_money_times_and_countdowns(page: Zhiliu) -> None:
    at = datetime(2026, 11, 22, 16, 0, 5, tzinfo=UTC)
    html = render_template_string(
        UI
        + "{{ ui.money(123456700) }}|{{ ui.money(None) }}|{{ ui.time(at) }}|{{ ui.date(at) }}|{{ ui.time(None) }}|"
        + "{{ ui.countdown(at, now) }}|{{ ui.countdown(now, at) }}",
        at=at,
        now=at - timedelta(days=2, hours=3, seconds=4),
    )
    parts = html.split("|")
    assert "¥1,234,567.00" in parts[0] and "—" in parts[1] and parts[4] == "—"
    assert "2026-11-23 00:00:05" in parts[2] and "2026-11-23" in parts[3]  # Shanghai's day, not UTC's
    assert "2 天 03:00:04" in parts[5] and 'data-ends="2026-11-22T16:00:05+00:00"' in parts[5]
    assert "已到时间" in parts[6]


def test_an_act_that_posts_carries_the_form_check(page: Zhiliu) -> None:
    for macro in ("post_button('/x', '做')", "confirm_form('/x', '做', '真的？')"):
        html = render_template_string(UI + "{{ ui." + macro + " }}")
        assert 'method="post"' in html and 'name="csrf_token"' in html
