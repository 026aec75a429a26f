"""Forms of the managers' desk of the index."""

from __future__ import annotations

from flask_wtf import FlaskForm
from wtforms import TextAreaField
from wtforms.validators import DataRequired, Length

from marketplace.core.i18n import _l


class SynonymsForm(FlaskForm):
    words = TextAreaField(
        _l("意思相同的词"),
        [DataRequired(_l("请填写此项")), Length(max=600)],
        description=_l("一行一个词，或用逗号、顿号分开。例如：隔膜，隔离膜，separator"),
    )
