"""Messages as trees, made by the mime hook in its jail, for hooks that read parts as files."""

import json

from harness import hooks

MESSAGE = (b"Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b1\r\n\r\n"
           b"--b1\r\nContent-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\ncaf=E9\r\n"
           b"--b1\r\nContent-Type: application/pdf; name=\"../../etc/passwd\"\r\nContent-Transfer-Encoding: base64\r\n\r\naGVsbG8=\r\n"
           b"--b1--\r\n")

# A shell that copies every leaf, with nothing but cat.
SHELL = hooks.SHELL + """
while IFS= read -r request; do
  case $request in *'"event":"deliver_mime"'*)
    printf '%s\\n' "$request" > request
    for path in $(printf '%s\\n' "$request" | jq -r '.mime | .. | .path? // empty'); do cat "$path" >> parts || exit 1; done ;;
  esac
  echo ok
done
"""

NODE = """#!/usr/bin/env node
const fs = require('fs');
require('readline').createInterface({ input: process.stdin }).on('line', (line) => {
  const request = JSON.parse(line);
  if (request.event === 'deliver_mime') {
    fs.writeFileSync('request', line);
    for (const part of request.mime.parts) fs.appendFileSync('parts', fs.readFileSync(part.path));
  }
  console.log('ok');
});
"""

PYTHON = hooks.PYTHON + """
import json, os, sys
for line in sys.stdin:
    request = json.loads(line)
    if request["event"] == "deliver_mime":
        open("request", "w").write(line)
        for part in request["mime"]["parts"]:
            open("parts", "ab").write(open(part["path"], "rb").read())
        folder = os.path.dirname(os.path.dirname(request["mime"]["parts"][0]["path"]))
        seen = {}
        for name in ("shell", "node"):
            other = os.path.join(os.path.dirname(folder), name)
            try:
                seen[name] = os.listdir(other)
            except OSError as error:
                seen[name] = type(error).__name__
        try:
            open(os.path.join(folder, "mine"), "w")
            seen["writes"] = True
        except OSError as error:
            seen["writes"] = type(error).__name__
        json.dump(seen, open("seen", "w"))
    print("ok", flush=True)
"""


def three_hooks(make_daemon):
    daemon = make_daemon()
    for name, text in (("shell", SHELL), ("node", NODE), ("python", PYTHON)):
        daemon.hook(name, text, "deliver_mime")
    daemon.start()
    daemon.control("ready")
    return daemon


def test_hooks_in_three_languages_read_the_parts(make_daemon):
    daemon = three_hooks(make_daemon)
    with daemon.session() as client:
        assert client.message(MESSAGE).code == 250
        assert client.message(MESSAGE).code == 250
    for name in ("shell", "node", "python"):
        state = daemon.state / "hooks" / name
        assert (state / "parts").read_bytes() == b"caf\xe9hello" * 2, name
        request = json.loads((state / "request").read_text())
        tree = request["mime"]
        assert ["Subject", " =?utf-8?q?Gr=C3=BC=C3=9Fe?=", "Grüße"] in tree["headers"]
        assert [part["type"] for part in tree["parts"]] == ["text/plain", "application/pdf"]
        assert tree["parts"][0]["text"] == "café" and tree["parts"][1]["filename"] == "../../etc/passwd"
        assert not tree["broken"]
        assert all(hooks.is_gone(part["path"]) for part in tree["parts"])
    seen = json.loads((daemon.state / "hooks/python/seen").read_text())
    assert seen == {"shell": "FileNotFoundError", "node": "FileNotFoundError", "writes": "OSError"}
    assert [list((daemon.runtime / "mime" / name).iterdir()) for name in ("shell", "node", "python")
            if (daemon.runtime / "mime" / name).exists()] in ([], [[], [], []])


def test_a_broken_message_has_a_tree_and_a_limit_a_clear_reply(make_daemon):
    daemon = make_daemon("[mime]\nparts = 3\n")
    daemon.hook("recorder", SHELL, "deliver_mime")
    daemon.start()
    with daemon.session() as client:
        assert client.message(MESSAGE.replace(b"--b1--\r\n", b"")).code == 250
        tree = json.loads((daemon.state / "hooks/recorder/request").read_text())["mime"]
        assert tree["broken"] and tree["defects"]
        parts = b"--b1\r\n\r\nx\r\n" * 10
        assert client.message(b"Content-Type: multipart/mixed; boundary=b1\r\n\r\n" + parts + b"--b1--\r\n") == \
            "554 5.6.0 message has more than 3 MIME parts"
        assert client.message(MESSAGE).code == 250


def test_a_plain_user_has_trees_too(plain_daemon):
    daemon = plain_daemon()
    daemon.hook("recorder", SHELL, "deliver_mime")
    daemon.start()
    with daemon.session() as client:
        assert client.message(MESSAGE).code == 250
    assert (daemon.state / "hooks/recorder/parts").read_bytes() == b"caf\xe9hello"
