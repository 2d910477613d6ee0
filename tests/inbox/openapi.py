"""Answers of /api/v2 against hooks/inbox/api/openapi.json: every one that a test gets has to be described there."""

import fnmatch
import functools
import json
import pathlib
import re

import jsonschema

FILE = pathlib.Path(__file__).parents[2] / "hooks/inbox/api/openapi.json"
DOCUMENT = json.loads(FILE.read_text())
OF_ACCESS = (401, 403, 421)  # what anybody may hear everywhere


def resolve(thing: dict) -> dict:
    while "$ref" in thing:
        found = DOCUMENT
        for word in thing["$ref"].removeprefix("#/").split("/"):
            found = found[word]
        thing = found
    return thing


def paths() -> list[tuple[re.Pattern, dict]]:
    """Those without a parameter first: actions is no id."""
    ordered = sorted(DOCUMENT["paths"].items(), key=lambda item: item[0].count("{"))
    return [(re.compile(re.sub(r"{\w+}", "[^/]+", path.replace(".", r"\."))), item) for path, item in ordered]


@functools.cache
def validator(schema: str) -> jsonschema.Draft202012Validator:
    resolver = jsonschema.RefResolver("", DOCUMENT)
    return jsonschema.Draft202012Validator(json.loads(schema), resolver=resolver)


def operation(method: str, path: str) -> dict | None:
    for pattern, item in paths():
        if pattern.fullmatch(path.partition("?")[0]):
            return item.get("get" if method == "HEAD" else method.lower())
    return None


def check(method: str, path: str, status: int, media_type: str, octets: bytes) -> None:
    if not path.startswith("/api/v2/") or status in OF_ACCESS:
        return
    described = operation(method, path)
    if described is None:
        assert status == 404, f"{method} {path} answers {status}, and is described nowhere"
        return
    assert str(status) in described["responses"], f"{method} {path} may answer {status} as well: {octets[:200]!r}"
    content = resolve(described["responses"][str(status)])["content"]
    plain = media_type.partition(";")[0]
    kinds = [kind for kind in content if fnmatch.fnmatch(plain, kind)]
    assert kinds, f"{method} {path} answers {status} as {plain}, not as {list(content)}"
    schema = content[kinds[0]].get("schema")
    if schema and plain.endswith("json") and method != "HEAD":
        validator(json.dumps(schema)).validate(json.loads(octets))
