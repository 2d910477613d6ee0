"""The trees of the mime hook: what Python's email package makes of the same messages, and golden trees of all.

REMAKE_GOLDEN=1 writes the golden trees anew: look at what changed before you commit that.
"""

import base64
import email
import email.header
import email.policy
import json
import os
import re

import jsonschema
import pytest

from hooks.mime_tree import MESSAGES, Mime, leaves, nodes, octets
from hooks.pipe import ROOT

GOLDEN = ROOT / "tests/golden/mime"
SCHEMA = jsonschema.Draft202012Validator(json.loads((ROOT / "proto/hook/schema/mime-tree.schema.json").read_text()))


@pytest.fixture(scope="module")
def mime(tmp_path_factory):
    hook = Mime(tmp_path_factory.mktemp("mime"))
    yield hook
    hook.close()


by_message = pytest.mark.parametrize("message", MESSAGES, ids=lambda path: path.name)


def raw_of(field):
    """The octets of a header field's value."""
    return base64.b64decode(field[3]) if len(field) == 4 else field[1].encode()


def shown(value):
    """Fit for a golden file: what is very long is cut."""
    if isinstance(value, str) and len(value) > 1000:
        return f"{value[:100]}… {len(value)} characters"
    if isinstance(value, list):
        return [shown(item) for item in value]
    return value


def as_golden(node, folder):
    """A node with the name of its file, and what is in that where the tree does not say."""
    out = {key: shown(value) for key, value in node.items()}
    for key, make in (("parts", lambda parts: [as_golden(part, folder) for part in parts]),
                      ("message", lambda message: as_golden(message, folder)),
                      ("path", lambda path: os.path.relpath(path, folder))):
        if key in node:
            out[key] = make(node[key])
    if "path" in node and "text" not in node and "message" not in node:
        out["octets"] = shown(octets(node).decode("latin-1"))
    return out


@by_message
def test_a_tree_is_as_it_was(mime, message):
    tree = as_golden(mime.tree(message.read_bytes()), mime.shelf / "t-1")
    file = GOLDEN / f"{message.name}.json"
    if os.environ.get("REMAKE_GOLDEN"):
        file.write_text(json.dumps(tree, indent=1, ensure_ascii=False) + "\n")
    assert tree == json.loads(file.read_text())


def test_each_golden_tree_has_its_message():
    assert {path.name for path in MESSAGES} == {path.stem for path in GOLDEN.iterdir()}


@by_message
def test_a_tree_is_as_the_schema_says_and_agrees_with_itself(mime, message):
    text = message.read_bytes()
    tree = mime.tree(text)
    SCHEMA.validate(tree)
    assert tree["broken"] == any(node["defects"] for node in nodes(tree))
    for node in leaves(tree):
        data = octets(node)
        assert len(data) == node["size"]
        assert os.stat(node["path"]).st_mode & 0o7777 == 0o444
        assert ("text" in node) == node["type"].startswith("text/") == ("charset" in node)
    assert len({node["path"] for node in leaves(tree)}) == len(leaves(tree)) == len(os.listdir(mime.shelf / "t-1"))
    assert mime.tree(text) == tree, "the same message, the same tree"


@by_message
def test_a_line_is_compact_ascii(mime, message):
    mime.deliver(message.read_bytes())
    mime.message.write_bytes(message.read_bytes())
    request = {"v": 1, "id": 9, "event": "deliver_mime", "transaction": "t-1", "params": {}, "for": "inbox",
               "message": {"size": message.stat().st_size, "path": str(mime.message)}}
    line = mime.ask_line(json.dumps(request))
    assert re.fullmatch(r"[ -~]+", line)
    assert line == json.dumps(json.loads(line), separators=(",", ":")).replace("\x7f", r"\u007f")


@by_message
def test_each_field_of_the_outermost_header_is_there_octet_for_octet(mime, message):
    """Put together again they are the header, but for lines that are no fields."""
    text = message.read_bytes()
    tree = mime.tree(text)
    at = 0
    for field in tree["headers"]:
        value = raw_of(field)
        found = re.compile(re.escape(field[0].encode()) + rb"[ \t]*:" + re.escape(value) + rb"(\r?\n|$)").search(text, at)
        assert found, field
        at = found.end()


# Where the email package sees something else, and why. All these are held against golden trees.
DIFFERENT = {
    # It ends lines at a bare CR, too, and looks into these.
    "bare_cr", "delivery_status", "disposition_notification", "external_body", "partial", "encoded_message", "message_global",
    # A line that is no field ends the header for it; its names may have blanks.
    "line_without_colon", "mbox_line", "bad_field_names", "continues_nothing", "no_blank_line_in_part",
    "no_blank_line_before_boundary",
    # A multipart without parts is text for it.
    "no_boundary_parameter", "boundary_never_seen", "truncated_in_header",
    # It has None for a message that is not there, no last line end before the end of all, and another way out here.
    "empty_message", "message_cut_by_boundary", "bad_content_type", "never_closed", "same_boundary_twice",
    # What it decodes otherwise, or not at all.
    "bad_base64", "truncated_base64", "base64_after_padding", "bad_quoted_printable", "uuencode", "odd_parameters",
    "comments", "nul", "latin1_header", "hostile_filenames", "raw_utf8_filename",
}


def pairs(node, part):
    """What belongs together in a tree and in what the email package made."""
    yield node, part
    inner = node.get("parts", [node["message"]] if "message" in node else [])
    theirs = part.get_payload() if part.is_multipart() else []
    assert len(inner) == len(theirs), (node["type"], [one.get_content_type() for one in theirs])
    for one, other in zip(inner, theirs):
        yield from pairs(one, other)


def file_name(part):
    """Encoded words must not be in a parameter, and are."""
    name = part.get_filename()
    return name and str(email.header.make_header(email.header.decode_header(name)))


@pytest.mark.parametrize("message", [path for path in MESSAGES if path.name not in DIFFERENT], ids=lambda path: path.name)
def test_the_email_package_of_python_sees_the_same(mime, message):
    text = message.read_bytes()
    for node, part in pairs(mime.tree(text), email.message_from_bytes(text, policy=email.policy.compat32)):
        assert node["type"] == part.get_content_type()
        assert [field[0] for field in node["headers"]] == list(part.keys())
        assert node["filename"] == file_name(part)
        assert node["disposition"] == part.get_content_disposition()
        if "text" in node:
            data = part.get_payload(decode=True)
            assert octets(node) == data
            charset = {"x-none": "utf-8", "utf-8//ignore": "utf-8", "us-ascii": "utf-8"}.get(node["charset"], node["charset"])
            assert node["text"] == data.decode(charset, "replace").replace("\r\n", "\n")
        elif "message" not in node and "parts" not in node:
            assert octets(node) == part.get_payload(decode=True)


@pytest.mark.parametrize("name, field, text", [
    ("encoded_words", "Subject", "one two é plain lang"),
    ("encoded_words", "From", "Jörg <joerg@example.org>"),
    ("encoded_words", "Comments", "split ü"),
    ("iso_2022_jp", "Subject", "日本語"),
    ("gb18030", "Subject", "你好"),
    ("koi8_r", "Subject", "Привет"),
    ("unknown_charset", "Subject", "\ufffd"),
    ("broken_encoded_words", "Subject", "=?utf-8?q?open"),
    ("broken_encoded_words", "To", "=?utf-8?x?a?= a b\ufffd"),
    ("utf8_headers", "Subject", "Grüße 🎉"),
    ("folded_header", "Subject", "a subject that is folded\ttwice"),
])
def test_a_header_field_is_decoded(mime, name, field, text):
    tree = mime.tree((ROOT / "tests/corpus/mime" / name).read_bytes())
    assert [entry[2] for entry in tree["headers"] if entry[0] == field] == [text]


def test_the_parts_are_numbered_as_imap_does(mime):
    def numbers(name):
        tree = mime.tree((ROOT / "tests/corpus/mime" / name).read_bytes())
        return [os.path.basename(node["path"]) for node in leaves(tree)]

    assert numbers("plain") == ["1"]
    assert numbers("mixed_related_alternative") == ["1.1.1", "1.1.2", "1.2", "2"]
    assert numbers("forwarded") == ["1", "2", "2.1", "2.2"]
    assert numbers("message_in_message") == ["1", "1.1", "1.1.1"]


def test_headers_in_utf_8_are_right_where_the_client_said_so(mime):
    message = (ROOT / "tests/corpus/mime/utf8_headers").read_bytes()
    assert mime.tree(message)["defects"] == [
        'the header field "Subject" is not ASCII, and the client did not say SMTPUTF8 (RFC 6531)',
        'the header field "From" is not ASCII, and the client did not say SMTPUTF8 (RFC 6531)']
    assert not mime.tree(message, params={"SMTPUTF8": True})["broken"]
