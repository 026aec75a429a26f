"""The OpenAPI document is valid, and every operation keeps what it says on any input: no 5xx, only documented statuses
and codes, bodies by their schema; with a token and without one."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from marketplace import Zhiliu
from tests.api.docs_codes import documented
from tests.api.world import BASE, World, caller, make_world, token_of

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
OPERATIONS = (
    "GET /rights", "POST /rights", "GET /rights/check-number", "GET /rights/{right_id}", "PATCH /rights/{right_id}",
    "POST /rights/{right_id}/encumbrances",
    "GET /cases", "POST /cases", "GET /cases/{case_id}", "PATCH /cases/{case_id}", "POST /cases/{case_id}/rights",
    "DELETE /cases/{case_id}/rights/{right_id}", "GET /cases/{case_id}/documents", "POST /cases/{case_id}/documents",
    "GET /listings", "GET /listings/{number}",
    "GET /lots/{lot_id}", "GET /lots/{lot_id}/course", "GET /lots/{lot_id}/result", "GET /lots/{lot_id}/protocol",
    "GET /lots/{lot_id}/registration", "POST /lots/{lot_id}/registration", "POST /lots/{lot_id}/preemption",
    "POST /lots/{lot_id}/bids",
    "GET /needs", "GET /search", "GET /needs/{need_id}", "GET /open-data/listings", "GET /open-data/results",
    "GET /keys/signing",
)  # fmt: skip
#: Of good and of bad input for each operation; raise it to search.
EXAMPLES = int(os.environ.get("ZHILIU_API_EXAMPLES", "6"))
PUBLIC = ("GET /listings", "GET /listings/{number}", "GET /lots/{lot_id}", "GET /lots/{lot_id}/course",
          "GET /lots/{lot_id}/result", "GET /lots/{lot_id}/protocol", "GET /keys/signing", "GET /needs", "GET /search",
          "GET /needs/{need_id}", "GET /open-data/listings", "GET /open-data/results")  # fmt: skip


#: Nothing that is sent to these can be against their description.
NOTHING_BAD = ("GET /keys/signing", "GET /listings/{number}")
INPUTS = [
    pytest.param(label, mode, id=f"{label}-{name}")
    for mode, name in ((GenerationMode.POSITIVE, "good"), (GenerationMode.NEGATIVE, "bad"))
    for label in OPERATIONS
    if name == "good" or label not in NOTHING_BAD
]
_loaded: list[Any] = []


def schema_of(app: Zhiliu) -> Any:
    """The document, read once a process."""

    def one_request(environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        with app.app_context():  # as a server does; else one request would see another's actor
            return app(environ, start)

    if not _loaded:
        _loaded.append(schemathesis.openapi.from_wsgi(f"{BASE}/openapi.json", one_request))
    return _loaded[0]


def operation_of(app: Zhiliu, label: str) -> Any:
    method, path = label.split(" ")
    return schema_of(app)[BASE + path][method]


def paths_of(world: World) -> dict[str, Any]:
    return {
        "case_id": world.case_id, "right_id": world.right_id, "number": world.number, "lot_id": world.lot.id,
        "need_id": world.need_id,
    }  # fmt: skip


def test_the_document_is_valid_and_names_every_operation(app: Zhiliu) -> None:
    schema = schema_of(app)
    assert schema.validate() is None
    found = {
        f"{op.method.upper()} {op.path.removeprefix(BASE)}" for op in (r.ok() for r in schema.get_all_operations())
    }
    assert found == set(OPERATIONS)
    document = app.test_client().get(f"{BASE}/openapi.json").get_json()
    names = [op["operationId"] for path in document["paths"].values() for op in path.values() if "responses" in op]
    assert len(names) == len(set(names)) == len(OPERATIONS)
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            if method == "parameters":
                continue
            label = f"{method.upper()} {path.removeprefix(BASE)}"
            assert operation["summary"], label
            assert ({} in operation["security"]) == (label in PUBLIC), label
            assert ("Scope `" in operation.get("description", "")) == (label not in PUBLIC), label


@pytest.mark.parametrize(("label", "mode"), INPUTS)
def test_any_input_gets_a_documented_answer(app: Zhiliu, label: str, mode: GenerationMode) -> None:
    world = make_world()
    actor = world.lot.bidders[0].actor if "/lots/" in label else world.bank
    token = token_of(actor)
    operation = operation_of(app, label)
    real = paths_of(world)

    @settings(max_examples=EXAMPLES, database=None, derandomize=True,
              suppress_health_check=list(HealthCheck))  # fmt: skip
    @given(data=st.data())
    def check(data: st.DataObject) -> None:
        case = data.draw(operation.as_strategy(generation_mode=mode))
        if data.draw(st.sampled_from([True, True, False]), label="a thing that exists"):
            case.path_parameters = {name: real[name] for name in case.path_parameters or {}}
        response = case.call(headers={"Authorization": f"Bearer {token}"})
        case.validate_response(response, checks=CHECKS)
        told(operation, label, response)

    check()


def told(operation: Any, label: str, response: Any) -> None:
    """The status stands in the document by its number, the code in docs/api.md."""
    status = str(response.status_code)
    assert status in operation.definition.raw["responses"], f"{status} is not documented for {label}"
    if response.status_code >= 400:
        error = response.json()["error"]
        codes = {error["code"], *(problem["code"] for problem in error["problems"])}
        unknown = {code for code in codes if not documented(label, code)}
        assert not unknown, f"{label} answered {unknown}, which docs/api.md does not list"


@pytest.mark.parametrize("label", OPERATIONS)
def test_without_a_token_only_what_is_public_answers(app: Zhiliu, label: str) -> None:
    world = make_world()
    operation = operation_of(app, label)
    real = paths_of(world)

    @settings(max_examples=3, database=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy())
    def check(case: Any) -> None:
        case.path_parameters = {name: real[name] for name in case.path_parameters or {}}
        for header, code in (({}, "sign_in_needed"), ({"Authorization": "Bearer zl_wrong"}, "token_unknown")):
            case.headers = {k: v for k, v in (case.headers or {}).items() if k.lower() != "authorization"}
            response = case.call(headers=header)
            case.validate_response(response, checks=CHECKS)
            told(operation, label, response)
            if response.status_code == 422 and {p["code"] for p in response.json()["error"]["problems"]} == {
                "bad_character"
            }:
                continue  # what cannot be stored is refused before anyone is asked for a token
            if code == "token_unknown" or label not in PUBLIC:
                assert response.status_code == 401 and response.json()["error"]["code"] == code
            else:
                assert response.status_code != 401

    check()


def test_every_operation_has_its_row_and_every_listed_code_exists(app: Zhiliu) -> None:
    from tests.api.docs_codes import GENERAL, ROWS

    assert set(ROWS) == set(OPERATIONS)
    root = Path(__file__).resolve().parents[2] / "marketplace"
    source = "\n".join(path.read_text() for path in root.rglob("*.py"))
    listed = set(GENERAL).union(*ROWS.values())
    assert [
        c for c in sorted(listed) if not c.endswith("*") and not c.startswith("http_") and f'"{c}"' not in source
    ] == []
    for code in listed:
        if code.endswith("*"):
            assert f'"{code[:-1]}' in source, code


def test_the_document_needs_no_token_and_tells_no_secret(app: Zhiliu) -> None:
    answer = caller(app).get("/openapi.json")
    assert answer.status_code == 200
    for word in (app.settings.secret_key, app.settings.database_url, "zl_"):
        assert word not in answer.get_data(as_text=True)
