"""The OpenAPI document and its page: they tell the truth about every call."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from engine.sinks.record.finish import finish
from engine.sinks.record.record import header_of
from engine.sinks.record.recorder import Recorder
from sessions.calibrations import Calibrations
from sessions.rest.route import Route
from sessions.rest.routes import ROUTES
from tests.builders import replay_of, small_recording
from tests.sessions.predicting import answer
from tests.sessions.serving import Client, serving

BODIES = {
    "/api/control/{code}/seek": {"packet_id": 3},
    "/api/sessions/{code}/speed": {"speed": "max"},
    "/api/sessions/{code}/loop": {"loop": False},
    "/api/sessions/{code}/predictions": {"lsl": "my-decoder"},
    "/api/sessions/{code}/decoders": {"decoder": "passthrough"},
    "/api/sessions/{code}/driver": {"driver": "kalman"},
    "/api/links": {"session": "deck"},
    "/decode": {"counts": [[0, 1, 2, 3, 0]], "model": "1"},
}
"""Where an empty object is not enough."""
QUERIES = {"/api/sessions/{code}/bins": "wait=0"}
"""Where the usual takes its time."""
GUIDED = "/api/sessions/{code}/calibration"
CLOSED_LOOP = ("/api/sessions/{code}/driver", "/api/sessions/{code}/steering", GUIDED)
"""Of sessions with a user alone."""
ELECTRODES = [f"/api/sessions/{{code}}/{name}" for name in ("electrodes", "detection", "features")]
"""Of sessions with electrodes alone."""
SOURCES = {**dict.fromkeys(CLOSED_LOOP, "user"), **dict.fromkeys(ELECTRODES, "electrodes")}


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished record of nothing."""
    folder = tmp_path_factory.mktemp("records")
    replay = replay_of(small_recording())
    header = header_of(replay.description, "run", "deck", 0.0, {})
    recorder = Recorder(folder / "run.journal", header, replay, settings=dict)
    replay.close()
    recorder.stop()
    return finish(recorder.path)


@pytest.fixture(scope="module")
def calibrations() -> Iterator[Calibrations]:
    made = Calibrations()
    yield made
    made.close()


@pytest.fixture
def call(record: Path, calibrations: Calibrations) -> Iterator[Client]:
    with serving(calibrations=calibrations) as client:
        shutil.copy(record, client.archive.folder / "run.nwb")
        client.create()
        client("POST", "/api/control/deck/pause")
        yield client


def operation_of(document, route: Route):
    return document["paths"][route.path][route.method.lower()]


def check(document, schema, value):
    whole = {**schema, "components": document["components"]}
    Draft202012Validator(whole, format_checker=FormatChecker()).validate(value)


def calibrated(call: Client, calibrations: Calibrations) -> int:
    """Number of a run that is done."""
    for run in [*calibrations] or [calibrations.get(call("POST", "/api/calibrations", {}).json["id"])]:
        assert run.wait(30)
        assert run.error is None
    return run.number


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
def test_every_call_answers_and_refuses_as_documented(call, calibrations, route):
    document = call("GET", "/openapi.json").json
    needs_model = "calibrations" in route.path or route.path == "/decode"
    number = calibrated(call, calibrations) if needs_model else 0
    responses = operation_of(document, route)["responses"]
    if "/decoders/" in route.path:
        call("POST", "/api/sessions/deck/decoders", {"decoder": "passthrough"})
    name = "passthrough" if "/decoders/" in route.path else "run"
    if "/runs/" in route.path:
        answer(call.store.get("deck"), 40, "mine")
        (number,) = (run["run"] for run in call("POST", "/api/sessions/deck/runs").json["runs"])
    link = call("POST", "/api/links", {"session": None}).json["id"]
    if source := SOURCES.get(route.path):
        call.create(source, source=source)
    if route.path == GUIDED and route.method != "POST":
        call("POST", "/api/sessions/user/calibration")
    path = route.path.format(
        code=SOURCES.get(route.path, "deck"),
        name=name,
        trial_id=2,
        target_id=1,
        calibration=number,
        run=number,
        link=link,
    )
    body = BODIES.get(route.path, {}) if route.method in ("POST", "PUT") else None
    refused = call(route.method, f"{path}?nonsense=1", body)
    assert refused.status == 422
    check(document, responses["422"]["content"]["application/json"]["schema"], refused.json)

    reply = call(route.method, f"{path}?{QUERIES.get(route.path, '')}", body)
    assert reply.status == 200, reply.content
    documented = responses["200"]["content"]
    content_type = reply.headers["Content-Type"].partition(";")[0]
    if content_type == "application/json":
        check(document, documented["application/json"]["schema"], reply.json)
    else:
        assert content_type in documented

    if "{" in route.path:
        nowhere = {"code": "nobody", "name": "nothing", "link": "none"}
        nowhere |= dict.fromkeys(("trial_id", "target_id", "calibration", "run"), 99)
        unknown = call(route.method, route.path.format(**nowhere), body)
        assert str(unknown.status) in responses
        assert unknown.status == 404
        check(document, responses["404"]["content"]["application/json"]["schema"], unknown.json)


def test_every_answer_names_its_required_fields(call):
    document = call("GET", "/openapi.json").json
    schemas = document["components"]["schemas"]
    for route in ROUTES:
        if route.answer:
            content = operation_of(document, route)["responses"]["200"]["content"]["application/json"]
            answer = schemas[content["schema"]["$ref"].rpartition("/")[2]]
            assert set(answer["required"]) == set(answer["properties"])


def test_operations_have_names_of_their_own_and_a_summary(call):
    document = call("GET", "/openapi.json").json
    operations = [each for methods in document["paths"].values() for each in methods.values()]
    assert len({each["operationId"] for each in operations}) == len(operations) == len(ROUTES)
    assert all(each["summary"].endswith(".") for each in operations)


def test_examples_of_bodies_are_accepted(call, calibrations):
    calibrated(call, calibrations)
    answer(call.store.get("deck"), 40, "mine")
    (run,) = (each["run"] for each in call("POST", "/api/sessions/deck/runs").json["runs"])
    for source in set(SOURCES.values()):
        call.create(source, source=source)
    document = call("GET", "/openapi.json").json
    for route in ROUTES:
        body = operation_of(document, route).get("requestBody")
        if body:
            schema = body["content"]["application/json"]["schema"]
            for example in document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]["examples"]:
                check(document, schema, example)
                path = route.path.format(code=SOURCES.get(route.path, "deck"), run=run)
                assert call(route.method, path, example).status == 200


def test_the_command_for_a_calibrated_model_names_a_server_on_another_port(call, calibrations):
    run = call("GET", f"/api/calibrations/{calibrated(call, calibrations)}").json
    assert re.search(r"--model \S+\.npz --url ws://127\.0\.0\.1:\d+$", run["command"])


def test_the_page_shows_every_call_and_needs_nothing_from_elsewhere(call):
    page = call("GET", "/docs")
    html = page.content.decode()
    for route in ROUTES:
        assert f'<span class="path">{route.path}</span>' in html
    assert "`" not in html
    assert "<script" not in html
    links = re.findall(r'(?:src|href)="((?!#|openapi\.json)[^"]*)', html)
    assert len(links) == 1  # back to the pages of this server
    assert re.fullmatch(r"http://(127\.0\.0\.1|localhost|[a-z.]+):\d+/", links[0])
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]


def test_every_call_says_what_the_gate_refuses(call):
    document = call("GET", "/openapi.json").json
    for route in ROUTES:
        responses = operation_of(document, route)["responses"]
        assert {"403", "429"} <= responses.keys()
        assert ("401" in responses) == (route.path != "/health")
        assert ("413" in responses) == bool(route.body.model_fields)


def test_no_two_models_have_one_title(call):
    schemas = call("GET", "/openapi.json").json["components"]["schemas"]
    titles = [schema["title"] for schema in schemas.values()]
    assert len(set(titles)) == len(titles)


def test_every_refusal_for_now_says_when_to_ask_again(call):
    document = call("GET", "/openapi.json").json
    for route in ROUTES:
        responses = operation_of(document, route)["responses"]
        for status in responses.keys() & {"429", "503"}:
            assert "Retry-After" in responses[status]["headers"]
        busy = "busy" in {error.code for error in route.refuses}
        assert not busy or "`busy`" in responses["503"]["description"]


@pytest.mark.parametrize("code", ["", "a", "binary-1", "x" * 64, "a b", "raw", "binary", "x" * 65])
def test_codes_are_refused_as_the_schema_has_it(call, code):
    document = call("GET", "/openapi.json").json
    schema = {"$ref": "#/components/schemas/Create", "components": document["components"]}
    allowed = Draft202012Validator(schema).is_valid({"custom_code": code})
    assert (call("POST", "/api/sessions", {"custom_code": code}).status == 200) == allowed
