"""Every snippet of the documents for authors of hooks, as it stands there."""

import contextlib
import hashlib
import http.server
import json
import os
import pathlib
import re
import subprocess
import threading

import pytest

from docs.document import BUILD, FENCE, ROOT, Document, Snippet
from docs.web import Posted
from hooks.pipe import SDK, Hook, golden, to_line

DOCUMENTS = [Document("hooks/README.md"), Document("hooks/MIGRATING.md")]
CASES = {name: lines for document in DOCUMENTS for name, lines in document.cases.items()}
HOOKSMTPCTL = BUILD / "daemon/ctl/hooksmtpctl"
HOOKSMTPD = BUILD / "daemon/launcher/hooksmtpd"

SALT = bytes(range(16))
FILES = {
    "known": "ann@example.test\nbob@example.test\n",
    "table": f"bob:{SALT.hex()}:{hashlib.scrypt(b'correct horse', salt=SALT, n=16384, r=8, p=1, dklen=32).hex()}\n",
}
OPTIONS = {"known.py": {"file": "known"}, "users.py": {"file": "table"}, "post.py": {"url": "http://127.0.0.1:1/"}}
WRAPPED = {"unix-lines.sh": "exec", "store.sh": "exec", "mail.tcl": "tcl"}  # run by one of our programs
NOBODY_STORES = "warning: no hook has the event 'deliver': mail is accepted and thrown away\n"  # which only half a configuration has
DELIVERS = ["recipients.py", "recipients.js", "recipients.sh", "unix-lines.sh", "store.sh"]
MESSAGE = b"Subject: hi\r\n\r\nhello\r\n"


def snippets(kind: str) -> list[Snippet]:
    return [snippet for document in DOCUMENTS for snippet in document.of_kind(kind)]


def each(kind: str):
    found = snippets(kind)
    return pytest.mark.parametrize("snippet", found, ids=[str(snippet).strip() for snippet in found])


HOOKS = {snippet.name: snippet for snippet in snippets("cookbook")}


def command(snippet: Snippet, folder: pathlib.Path) -> list[pathlib.Path]:
    path = snippet.write(folder)
    wrapper = WRAPPED.get(snippet.name)
    return [BUILD / f"hooks/{wrapper}/{wrapper}", path] if wrapper else [path]


def options(name: str, folder: pathlib.Path) -> dict:
    """The files that they name are there."""
    named = dict(OPTIONS.get(name, {}))
    if "file" in named:
        path = folder / named["file"]
        path.write_text(FILES[named["file"]])
        named["file"] = str(path)
    return named


@contextlib.contextmanager
def started(name: str, folder: pathlib.Path, **more):
    """The hook after hello, in its state folder, which is `folder`."""
    hook = Hook(command(HOOKS[name], folder / "program"), {"HOOK_STATE": str(folder)}, cwd=folder)
    events = HOOKS[name].rest.split()
    hello = {**json.loads(golden("hello")[0]), "events": events, "options": {**options(name, folder), **more}}
    hook.about_itself = hook.ask(hello)
    yield hook
    hook.close()


def request(event: str, number: int = 0, **changes) -> dict:
    return {**json.loads(golden(event)[number]), **changes}


def verdict(hook: Hook, asked: dict) -> dict:
    """The reply, also where it is in words; without texts then."""
    line = hook.ask_line(to_line(asked))
    if line.startswith("{"):
        return json.loads(line)
    words = re.fullmatch(r"(ok|\w+)(?: (\d{3}))?(?: (\d\.\d+\.\d+))?(?: .*)?", line)
    found = {"action": words[1].replace("ok", "accept"), "code": words[2] and int(words[2]), "enhanced": words[3]}
    return {key: value for key, value in found.items() if value}


def deliver(hook: Hook, folder: pathlib.Path) -> dict:
    path = folder / "spool.eml"
    path.write_bytes(MESSAGE)
    return verdict(hook, request("deliver", message={**request("deliver")["message"], "size": len(MESSAGE), "path": str(path)}))


def test_no_snippet_is_left_out():
    for document in DOCUMENTS:
        for snippet in document.snippets:
            assert snippet.kind or snippet.language in ("", "sh"), snippet.text
    assert len(HOOKS) >= 15 and set(HOOKS) == set(CASES)


def anchor(heading: str) -> str:
    """As web pages of repositories make it."""
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")


@pytest.mark.parametrize("document", DOCUMENTS, ids=["README", "MIGRATING"])
def test_links_within_a_document_lead_somewhere(document):
    headings = {anchor(heading) for heading in re.findall(r"^#+ (.+)$", FENCE.sub("", document.text), re.MULTILINE)}
    links = set(re.findall(r"\]\(#([^)]+)\)", document.text))
    assert links and links <= headings


@each("file")
def test_a_file_is_shown_as_it_is(snippet):
    assert (ROOT / snippet.name).read_text() == snippet.text


@pytest.mark.parametrize("name", [name for name in HOOKS if name not in WRAPPED])
def test_a_hook_answers_as_its_cases_say(name, tmp_path):
    (tmp_path / "cases.jsonl").write_text(CASES[name])
    done = subprocess.run([HOOKSMTPCTL, "hook", "test", "--cases", tmp_path / "cases.jsonl", "--options",
                           json.dumps(options(name, tmp_path)), *command(HOOKS[name], tmp_path / "program")],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "nothing found" in done.stdout


@pytest.mark.parametrize("name", HOOKS)
def test_a_hook_has_a_case_for_each_of_its_events(name):
    assert {json.loads(line)["request"]["event"] for line in CASES[name].splitlines()} == set(HOOKS[name].rest.split())


@pytest.mark.parametrize("name", [name for name in HOOKS if name in WRAPPED])
def test_a_command_answers_as_its_cases_say(name, tmp_path):
    """Without `hook test`, which asks about every event, and `exec` takes no auth."""
    with started(name, tmp_path) as hook:
        for case in map(json.loads, CASES[name].splitlines()):
            given = case["request"]
            said = deliver(hook, tmp_path) if given["event"] == "deliver" else verdict(hook, {**request(given["event"]), **given})
            assert {key: said.get(key) for key in case["reply"]} == case["reply"], given


@pytest.mark.parametrize("name", [name for name, hook in HOOKS.items() if "hooksmtpd" in hook.text])
def test_a_hook_handles_the_events_that_the_document_names(name, tmp_path):
    with started(name, tmp_path) as hook:
        assert set(hook.about_itself["events"]) - {"hello"} == set(HOOKS[name].rest.split())


@pytest.mark.parametrize("name", DELIVERS)
def test_a_hook_that_stores_has_the_message_when_it_accepts(name, tmp_path):
    with started(name, tmp_path) as hook:
        assert deliver(hook, tmp_path)["action"] == "accept"
        (kept,) = tmp_path.glob("c7f3a1-1.*")
        assert kept.read_bytes() == (MESSAGE.replace(b"\r", b"") if kept.suffix == ".txt" else MESSAGE)


def test_known_reads_its_file_again_and_defers_without_it(tmp_path):
    eve = request("validate_recipient", address="eve@example.test")
    with started("known.py", tmp_path) as hook:
        assert hook.ask(eve)["action"] == "reject"
        (tmp_path / "known").write_text("eve@example.test\n")
        os.utime(tmp_path / "known", ns=(1, 1))
        assert hook.ask(eve)["action"] == "accept"
        (tmp_path / "known").unlink()
        assert hook.ask(eve)["action"] == "defer"


def test_greylist_lets_in_who_comes_again_also_after_a_restart(tmp_path):
    with started("greylist.py", tmp_path) as hook:
        assert hook.ask(request("validate_recipient"))["code"] == 450
    with started("greylist.py", tmp_path, seconds=0) as hook:
        assert hook.ask(request("validate_recipient"))["action"] == "accept"
    with started("greylist.py", tmp_path) as hook:
        assert hook.ask(request("validate_recipient", address="eve@example.test"))["code"] == 450


@pytest.mark.parametrize("tree_is", ["in the request", "a file"])
def test_attachments_are_kept_and_nothing_else(tmp_path, tree_is):
    spool = tmp_path / "spool"
    spool.mkdir()
    for name in ("1", "2", "3"):
        (spool / name).write_text(f"body {name}")
    parts = [{"type": "text/plain", "disposition": disposition, "filename": "../../x", "path": str(spool / str(number))}
             for number, disposition in enumerate([None, "attachment", "attachment"], 1)]
    tree = {"type": "multipart/mixed", "disposition": None, "parts": parts}
    if tree_is == "a file":
        (spool / "tree.json").write_text(json.dumps(tree))
        tree = {"path": str(spool / "tree.json")}
    with started("attachments.sh", tmp_path) as hook:
        assert verdict(hook, request("deliver_mime", mime=tree))["action"] == "accept"
        assert {path.name: path.read_text() for path in tmp_path.glob("c7f3a1-1-*")} == {"c7f3a1-1-2": "body 2", "c7f3a1-1-3": "body 3"}
        (spool / "1").unlink()
        (spool / "3").unlink()
        assert verdict(hook, request("deliver_mime", mime=tree))["action"] == "defer", "what could not be copied is not accepted"


def test_post_accepts_when_the_web_server_does(tmp_path):
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Posted.forget()) as server:
        threading.Thread(target=server.serve_forever).start()
        with started("post.py", tmp_path, url=f"http://127.0.0.1:{server.server_port}/mail") as hook:
            assert deliver(hook, tmp_path)["action"] == "accept"
            assert Posted.bodies == [MESSAGE]
            assert deliver(hook, tmp_path)["action"] == "defer"
        server.shutdown()


def test_sessions_keeps_the_dialogue(tmp_path):
    entries = [{"ms": 0.4, "from": "server", "line": "220 mail.test ready"}, {"ms": 12, "from": "client", "line": "QUIT"}]
    with started("sessions.py", tmp_path) as hook:
        assert hook.about_itself["dialogue"] is True
        hook.ask(request("disconnect", dialogue=entries))
        assert [json.loads(line) for line in (tmp_path / "c7f3a1.jsonl").read_text().splitlines()] == entries


def test_links_writes_down_each_link(tmp_path):
    tree = {"type": "multipart/alternative", "headers": [["Subject", " Hi", "Hi"]], "parts": [
        {"type": "text/plain", "text": "go to https://shop.test/login?token=a&b=c now"},
        {"type": "text/html", "text": '<a href="https://shop.test/login?token=a&amp;b=c">'}]}
    with started("links.py", tmp_path) as hook:
        hook.ask(request("deliver_mime", mime=tree))
        found = [json.loads(line) for line in (tmp_path / "links.jsonl").read_text().splitlines()]
    assert found == [{"to": ["bob@example.test"], "subject": "Hi", "link": "https://shop.test/login?token=a&b=c"}] * 2


@each("configuration")
def test_a_configuration_has_no_mistake(snippet, tmp_path):
    """The hook's program is where it says, and so are the folders; the rest is as it stands."""
    places = {"/etc/hooksmtpd": tmp_path / "etc"}
    for wrapper in ("exec", "tcl"):
        places[f"/usr/local/libexec/hooksmtpd/hooks/{wrapper}"] = BUILD / f"hooks/{wrapper}/{wrapper}"
    (tmp_path / "etc/users").mkdir(parents=True)
    (tmp_path / "etc/hooks").mkdir()
    if snippet.name:
        HOOKS[snippet.name].write(tmp_path / "etc/hooks")
    text = snippet.text
    for old, new in places.items():
        text = text.replace(old, str(new))
    file = tmp_path / "hooksmtpd.toml"
    file.write_text(text)
    done = subprocess.run([HOOKSMTPD, "check-config", "--config", file], capture_output=True, text=True, timeout=60,
                          env={"PATH": os.environ["PATH"]})
    assert (done.returncode, done.stderr.replace(NOBODY_STORES, "")) == (0, ""), done.stdout + done.stderr
    if snippet.name:
        named = re.search(r"^events = (\[.*?\])", snippet.text, re.MULTILINE)[1]
        assert json.loads(named) == HOOKS[snippet.name].rest.split()


@each("before")
def test_what_is_migrated_is_well_formed(snippet):
    if snippet.language == "python":
        compile(snippet.text, snippet.name, "exec")
    else:
        assert subprocess.run(["sh", "-n", "-c", snippet.text]).returncode == 0


@each("run")
def test_commands_do_what_they_say(snippet, tmp_path):
    for path in ("hooks", "tests"):
        (tmp_path / path).symlink_to(ROOT / path)
    (tmp_path / "bin").mkdir()
    for program in (HOOKSMTPCTL, HOOKSMTPD):
        (tmp_path / "bin" / program.name).symlink_to(program)
    done = subprocess.run(["bash", "-e", "-c", snippet.text], cwd=tmp_path, capture_output=True, text=True, timeout=60,
                          env={"PATH": f"{tmp_path}/bin:/usr/bin:/bin", "HOOK_SDK": str(SDK), "LANG": "C.UTF-8"})
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(snippet.rest, done.stdout), done.stdout


@each("")
def test_other_commands_exist(snippet):
    """They need a daemon, and are no more than commands and options of our programs."""
    if snippet.language != "sh":
        return
    assert subprocess.run(["sh", "-n", "-c", snippet.text]).returncode == 0
    for program, page in (("hooksmtpctl", "daemon/ctl/hooksmtpctl.1"), ("hooksmtpd", "daemon/hooksmtpd.8")):
        manual = (ROOT / page).read_text()
        for arguments in re.findall(rf"\b{program} ([^#|)\n]+)", snippet.text):
            words = arguments.split(" -- ")[0].split()
            assert f".Cm {words[0]}" in manual, words
            for option in (word for word in words if word.startswith("--")):
                assert f"Fl -{option[2:]}" in manual, option
