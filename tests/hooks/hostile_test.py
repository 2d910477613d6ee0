"""Whatever a client says arrives byte for byte in a hook of any language, and is executed by none."""

import base64
import copy
import json
import os
import re
import shutil

import pytest

from hooks.pipe import ROOT, Hook, golden, to_line
from hooks.programs import PROGRAMS

TEXTS = {
    "quotes": "\"'\"\"''`\"",
    "backslashes": "\\ \\\\ \\\\\\ \\\" \\n \\u0041 \\0101 \\c\\",
    "odd backslashes": "x" + "\\" * 7,
    "even backslashes": "x" + "\\" * 8,
    "a forged key": '","address":"forged@example.test","event":"hello","x":"',
    "a forged key behind a backslash": '\\","address":"forged@example.test","x":"\\',
    "a forged end": '"}\n{"v":1,"id":1,"event":"hello"}\nok',
    "a command": "$(touch canary) ${IFS} $HOME `touch canary` ; touch canary & touch canary | touch canary",
    "a redirection": "> canary < /etc/passwd 2>&1",
    "a Tcl command": "[exec touch canary] [exit] $env(PATH) {*}",
    "a script": "${process.exit()} %{touch canary} <%= 7*7 %> {{7*7}} __import__('os').system('touch canary')",
    "a format": "%n%s%x%%d%1$n {0.__class__} %(x)s",
    "an option": "-rf",
    "a long option": "--help",
    "patterns": "* ? [a-z] {a,b} ~ ~root !! ..",
    "a path": "../../../etc/passwd\\..\\",
    "white space": "  \t two  blanks \x0b\x0c ",
    "line feeds": "one\ntwo\r\nthree\n\n",
    "a reply": "\nreject 550 forged\n",
    "a line separator": "\u2028\u2029\x85\ufeff",
    "control characters": "".join(map(chr, range(1, 32))) + "\x7f\x1b[2J",
    "other scripts": "j\u00f6rg \u65e5\u672c \U0001f600 \U0010ffff e\u0301",
    "prototypes": "__proto__ constructor prototype toString hasOwnProperty",
    "nothing": "",
    "null": "null",
    "a log level": "<3>forged\n<2>forged",
    "a variable": "_hook_said=/etc/x PATH=. IFS",
}
NUL = "a\0b\0"
LONE = "\ud800 \udc00 \udc00\ud800"
OCTETS = b"\xff\xfe caf\xe9 \xed\xa0\x80 \xc0\xaf $(touch canary) \x80"
EVENTS = [path.stem for path in sorted((ROOT / "tests/golden/v1").glob("*.jsonl"))
          if path.stem not in ("replies", "hello_replies", "mime_trees", "hello")]

# Each writes the octets of every name in its option `names`, as far as the request has it, to the file seen/NAME, and
# of a list (`to.`) to seen/to.0 and so on.
PYTHON = """#!/usr/bin/python3
from hooksmtpd import EVENTS, Hook
hook = Hook()
def keep(name, octets):
    with open(f"seen/{name}", "wb") as file:
        file.write(octets)
def look(request):
    print(request, str(request))
    for name in hook.options.names:
        outer, dot, inner = name.partition(".")
        if dot and not inner:
            for index, octets in enumerate(request.raw(outer)):
                keep(f"{name}{index}", octets)
        elif outer in request and (not inner or inner in request[outer]):
            keep(name, getattr(request, outer).raw(inner) if inner else request.raw(outer))
    return True
hook.on(*[event for event in EVENTS if event != "hello"])(look)
hook.run()
"""
NODE = """#!/usr/bin/node
const fs = require('fs');
const { EVENTS, hook, raw } = require('hooksmtpd');
const look = function (request) {
  console.log(request, String(request.address), `${request.line}`);
  const keep = (name, octets) => fs.writeFileSync(`seen/${name}`, octets);
  for (const name of this.options.names) {
    const [outer, inner] = name.split('.');
    if (inner === '') raw(request, outer).forEach((octets, index) => keep(`${name}${index}`, octets));
    else if (Object.hasOwn(request, outer) && inner === undefined) keep(name, raw(request, outer));
    else if (Object.hasOwn(request, outer) && Object.hasOwn(request[outer], inner)) keep(name, raw(request[outer], inner));
  }
  return true;
};
hook(Object.fromEntries(EVENTS.filter((event) => event !== 'hello').map((event) => [event, look]))).run();
"""
SHELL = """#!%s
. "$HOOK_SDK/hooksmtpd.sh"
on_hello() { names=$(json '.options.names[]'); }
element() { printf %%s "$1" >"seen/$name$index"; index=$((index + 1)); }
look() {
  for name in $names; do
    index=0
    case $name in
      *.) each "${name%%.}" element ;;
      *) raw "$name" >"seen/$name" ;;
    esac
  done
  field address line name helo from reason domain local
  printf '%%s\\n' "$address" "$line" "$helo" "$from"
  log info "$address$line$name"
  accept "$address" "$line"
}
for event in validate_host helo starttls auth validate_sender validate_recipient data deliver deliver_mime command reset \\
  disconnect cancel; do eval "on_$event() { look; }"; done
run
"""
LANGUAGES = {"python": PYTHON, "node": NODE, "dash": SHELL % "/usr/bin/dash", "busybox": SHELL % "/usr/bin/busybox sh"}
# What the shell hook above means to run.
COMMANDS = {"hook", "base64", "jq", "mktemp", "rm"}
FIXED = {"event", "for"}


def leaves(value, path=()):
    """The paths of all texts."""
    if isinstance(value, str):
        yield path
    elif isinstance(value, (dict, list)):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from leaves(inner, (*path, key))


def replaced(request: dict, text: str, octets: bytes | None = None) -> dict:
    """The request with `text` in the place of every text, and `octets` as its twin."""
    request = copy.deepcopy(request)
    for *outer, last in list(leaves(request)):
        if last in FIXED or str(last).endswith("_b64"):
            continue
        holder = request
        for key in outer:
            holder = holder[key]
        holder[last] = text
    return with_twins(request, octets) if octets is not None else without_twins(request)


def with_twins(value, octets):
    if isinstance(value, list):
        return [with_twins(inner, octets) for inner in value]
    if not isinstance(value, dict):
        return value
    made = {}
    for key, inner in without_twins(value).items():
        if key not in FIXED and isinstance(inner, str):
            made[f"{key}_b64"] = base64.b64encode(octets).decode()
        elif key == "to":
            made["to_b64"] = [base64.b64encode(octets).decode()] * len(inner)
        made[key] = inner if key in FIXED else with_twins(inner, octets)
    return made


def without_twins(value):
    if isinstance(value, dict):
        return {key: without_twins(inner) for key, inner in value.items() if not key.endswith("_b64")}
    return [without_twins(inner) for inner in value] if isinstance(value, list) else value


def names(request: dict) -> list[str]:
    """How the SDKs call the texts that they can name: `address`, `client.ip`, `to.`"""
    found = []
    for path in leaves(without_twins(request)):
        name = f"{path[0]}." if path[0] in request and isinstance(request[path[0]], list) else ".".join(map(str, path))
        if len(path) <= 2 and path[0] not in FIXED and re.fullmatch(r"[a-z_.]+", name) and not name.startswith(("mime", "to_params")):
            found.append(name)
    return list(dict.fromkeys(found))


@pytest.fixture(params=LANGUAGES)
def hook(request, tmp_path):
    program = tmp_path / "program"
    program.mkdir()
    (program / "hook").write_text(LANGUAGES[request.param])
    (program / "hook").chmod(0o755)
    folder = tmp_path / "folder"
    folder.mkdir()
    hook = Hook(["strace", "-f", "--seccomp-bpf", "-qq", "-s", "400", "-v", "-e", "trace=execve,execveat", "-o", tmp_path / "strace", program / "hook"],
                {"address": "exported", "line": "exported", "name": "exported"}, cwd=folder)
    hook.language, hook.folder, hook.strace = request.param, folder, tmp_path / "strace"
    yield hook
    hook.close()
    check_commands(hook)
    assert set(os.listdir(folder)) <= {"seen"}, "nothing else was written"


def check_commands(hook):
    for line in hook.strace.read_text(errors="replace").splitlines():
        if match := re.search(r'execve\("([^"]*)", \[(.*?)\], \[(.*)\]', line):
            program, arguments, environment = match.groups()
            name = os.path.basename(program)
            allowed = COMMANDS if hook.language in ("dash", "busybox") else {"hook", "env"}
            assert name in allowed, line
            for forged in ("canary", "forged", "passwd", "caf"):
                assert forged not in arguments + environment, line
            assert "address=" not in environment or "address=exported" in environment, "a field does not get into the environment"


def tell_names(hook, wanted: list[str]) -> None:
    hook.ask_line(to_line({**json.loads(golden("hello")[0]), "options": {"names": wanted}}))


def look(hook, request: dict, wanted: list[str], expected: bytes):
    tell_names(hook, wanted)
    shutil.rmtree(hook.folder / "seen", ignore_errors=True)
    (hook.folder / "seen").mkdir()
    reply = hook.ask_line(to_line(request))
    assert reply in ("accept", f'{{"id":{request["id"]},"action":"accept"}}'), hook.log()
    seen = {path.name: path.read_bytes() for path in (hook.folder / "seen").iterdir()}
    assert {re.sub(r"\d+$", "", name) for name in seen} == set(wanted)
    assert [name for name, octets in seen.items() if octets != expected] == []


def first(event: str) -> dict:
    return json.loads(golden(event)[0])


def test_text_arrives_as_it_was_sent(hook):
    for text in TEXTS.values():
        for event in ("validate_sender", "deliver"):
            look(hook, replaced(first(event), text), names(first(event)), text.encode())


def test_everything_at_once_arrives_in_every_field_of_every_event(hook):
    text = "".join(TEXTS.values())
    for event in EVENTS:
        look(hook, replaced(first(event), text), names(first(event)), text.encode())


def test_octets_that_are_no_utf_8_arrive_by_their_twins(hook):
    for event in EVENTS:
        wanted = names(first(event))
        if hook.language in ("dash", "busybox"):  # where `each` gives texts only
            wanted = [name for name in wanted if not name.endswith(".")]
        look(hook, replaced(first(event), "caf\ufffd", OCTETS), wanted, OCTETS)


def test_half_a_surrogate_pair_is_no_character(hook):
    for event in ("validate_sender", "command", "deliver"):
        look(hook, replaced(first(event), LONE), names(first(event)), "\ufffd \ufffd \ufffd\ufffd".encode())


def test_a_nul_arrives_or_is_a_failure_but_cuts_nothing_off(hook):
    request = replaced(first("command"), NUL)
    if hook.language in ("dash", "busybox"):
        tell_names(hook, ["line"])
        (hook.folder / "seen").mkdir()
        assert hook.ask_line(to_line(request)) == "defer", "its `field` cannot hold it"
        assert "<3>field: there is a NUL in helo, which no variable can hold" in hook.log()
        assert (hook.folder / "seen/line").read_bytes() == NUL.encode(), "but its `raw` can"
    else:
        look(hook, request, ["line"], NUL.encode())


def test_keys_that_mean_something_to_a_language_are_keys_only(hook):
    keys = ["__proto__", "constructor", "prototype", "toString", "hasOwnProperty", "__class__", "__getattr__", "raw", "get",
            "$(touch canary)", "`touch canary`", "a b", "PATH", "IFS", "_hook_said", "*", "-n", "[exit]", "a.b", ""]
    strange = {key: "forged@example.test" for key in keys}
    request = {"v": 1, "id": 7, "event": "validate_recipient", **{key: strange for key in keys if key}, "client": {"ip": "right"},
               "params": strange, "notes": {"address": "forged", "client": {"ip": "forged"}}, "address": "right"}
    look(hook, request, ["address", "client.ip"], b"right")


@pytest.mark.parametrize("name", PROGRAMS)
def test_no_hook_of_ours_executes_what_it_is_asked(name, tmp_path):
    program, folder = PROGRAMS[name], tmp_path / "folder"
    folder.mkdir()
    hook = program.start(folder)
    hook.ask_line(to_line(program.hello()))
    for text in TEXTS.values():
        for event in ("validate_host", "helo", "auth", "validate_sender", "validate_recipient", "deliver", "command"):
            hook.ask_line(to_line(replaced(first(event), text)))
    hook.close()
    assert "canary" not in {path.name for path in folder.rglob("*")}
