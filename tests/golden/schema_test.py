"""The schemas in proto/hook/schema say what the daemon does: each golden line is held against both."""

import json
import pathlib

import jsonschema
import pytest

ROOT = pathlib.Path(__file__).parents[2]
GOLDEN = pathlib.Path(__file__).parent / "v1"
SCHEMAS = {path.name.removesuffix(".schema.json"): json.loads(path.read_text())
           for path in (ROOT / "proto/hook/schema").glob("*.schema.json")}
STORE = {schema["$id"]: schema for schema in SCHEMAS.values()}
REQUESTS = {path.stem: path for path in GOLDEN.glob("*.jsonl")
            if not path.stem.endswith("replies") and path.stem != "mime_trees"}

# What is broken in a way that no schema can tell, and why.
BEYOND_A_SCHEMA = ["comes twice", "nested too deep", "too long in all", "not an address after all"]


def validator(name):
    schema = SCHEMAS[name]
    return jsonschema.Draft202012Validator(schema, resolver=jsonschema.RefResolver.from_schema(schema, store=STORE))


def rows(name):
    return [json.loads(line) for line in (GOLDEN / f"{name}.jsonl").read_text().split("\n") if line]


def json_replies(name):
    """Those that are a JSON object, with what the daemon makes of them."""
    for row in rows(name):
        line = row.get("line", "").strip(" \t\r")
        if line.startswith("{") and row.get("error") != "stray":
            yield row, json.loads(line)


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_schema_is_one_itself(name):
    jsonschema.Draft202012Validator.check_schema(SCHEMAS[name])
    assert SCHEMAS[name]["$id"].endswith(f"/hook/v1/{name}.schema.json")


@pytest.mark.parametrize("event", REQUESTS)
def test_each_golden_request_is_valid(event):
    for request in rows(event):
        assert request["event"] == event
        validator("request").validate(request)


def test_every_event_has_golden_requests_and_a_schema():
    assert {condition["if"]["properties"]["event"]["const"] for condition in SCHEMAS["request"]["allOf"]} == set(REQUESTS)


@pytest.mark.parametrize("event", REQUESTS)
def test_each_key_is_described_and_stands_in_its_place(event):
    definitions = SCHEMAS["request"]["$defs"]
    own = list(definitions[event]["properties"])
    facts = [] if event == "hello" else list(definitions["facts"]["properties"])
    order = [key for key in facts if key not in own] + own
    for request in rows(event):
        plain = [key for key in request if not (key.endswith("_b64") and key not in order)]
        assert plain == [key for key in order if key in request], "the order of the schema is that of the line"
        keys = list(request)
        for twin in set(keys) - set(plain):
            assert keys[keys.index(twin) + 1] == twin.removesuffix("_b64"), "a twin stands right before its key"


@pytest.mark.parametrize("event", REQUESTS)
def test_no_key_of_a_request_may_be_missing_or_of_another_type(event):
    definition = SCHEMAS["request"]["$defs"][event]
    facts = [] if event == "hello" else SCHEMAS["request"]["$defs"]["facts"]["required"]
    request = rows(event)[0]
    for key in {*definition["required"], *facts} - {"v", "id", "event"}:
        for changed in ({k: v for k, v in request.items() if k != key}, {**request, key: None}):
            assert not validator("request").is_valid(changed), key


def test_an_event_of_a_later_version_is_valid():
    assert validator("request").is_valid({"v": 1, "id": 1, "event": "later", "more": []})
    assert not validator("request").is_valid({"v": 2, "id": 1, "event": "hello"})


@pytest.mark.parametrize(("schema", "name"), [("reply", "replies"), ("hello-reply", "hello_replies")])
def test_a_reply_is_valid_if_the_daemon_takes_it(schema, name):
    checked = 0
    for row, reply in json_replies(name):
        beyond = row.get("beyond_schema")
        assert beyond is None or (row["error"] == "broken" and beyond in BEYOND_A_SCHEMA)
        assert validator(schema).is_valid(reply) == ("error" not in row or beyond is not None), row
        checked += 1
    assert checked > 20


def test_each_golden_tree_is_valid_alone_and_in_a_reply():
    for tree in rows("mime_trees"):
        validator("mime-tree").validate(tree)
        validator("mime-reply").validate({"id": 7, "action": "accept", "mime": tree})
        for key in SCHEMAS["mime-tree"]["$defs"]["node"]["required"]:
            assert not validator("mime-tree").is_valid({k: v for k, v in tree.items() if k != key})
    validator("mime-reply").validate({"id": 7, "action": "accept", "mime": {"path": "/tmp/tree.json"}})
    validator("mime-reply").validate({"id": 7, "action": "reject", "code": 554, "text": "too many parts"})
    assert not validator("mime-reply").is_valid({"id": 7, "action": "accept", "mime": {}})


def test_the_dialogue_may_have_what_the_schema_knows_only():
    entries = [entry for request in rows("disconnect") for entry in request.get("dialogue", [])]
    assert {entry["from"] for entry in entries} == {"server", "client", "hook", "daemon"}
    for entry in entries:
        for key in entry:
            if key not in ("code", "text", "line_b64"):
                assert not validator("dialogue").is_valid([{k: v for k, v in entry.items() if k != key}]), key


def test_the_examples_of_the_protocol_are_the_golden_lines():
    text = (ROOT / "proto/hook/PROTOCOL.md").read_text()
    for event, path in REQUESTS.items():
        assert f"```json\n{path.read_text().splitlines()[0]}\n```" in text, event
