"""The SDK for Node, hooks/node/hooksmtpd.js: what hooksmtpd.test.js says, the process around it, and its types."""

import json
import pathlib
import subprocess

import pytest

from hooks.pipe import ROOT, Hook as Pipe, golden, to_line

FOLDER = pathlib.Path(__file__).parent


def recipient(number=4, **keys):
    return {**json.loads(golden("validate_recipient")[0]), "id": number, **keys}


@pytest.fixture
def start(tmp_path):
    """start("hook({...}).run()"): that hook in a process, after hello."""
    made = []

    def make(text, name="hook.js"):
        path = tmp_path / name
        path.write_text("#!/usr/bin/node\nconst { hook, log, reject } = require('hooksmtpd');\n" + text if name == "hook.js" else text)
        path.chmod(0o755)
        pipe = Pipe(["/usr/bin/node", path], cwd=tmp_path)
        made.append(pipe)
        pipe.hello = json.loads(pipe.ask_line(golden("hello")[0]))
        return pipe

    yield make
    for pipe in made:
        pipe.close()


def test_what_it_says_of_itself_is_so():
    done = subprocess.run(["/usr/bin/node", "--test", FOLDER / "hooksmtpd.test.js"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "# fail 0" in done.stdout and "# pass 0" not in done.stdout


def test_console_and_child_processes_cannot_break_the_protocol(start):
    pipe = start("""
const { execSync } = require('child_process');
const main = hook({
  validate_recipient(request) {
    console.log('reject');
    process.stdout.write('no line feed');
    require('fs').writeSync(1, 'straight\\n');
    execSync('echo from a child', { stdio: 'inherit' });
  },
});
console.log('ok');
main.run();""")
    pipe.write(to_line(recipient(1)) + "\n" + to_line(recipient(2)) + "\n")
    assert [json.loads(pipe.read())["id"] for _ in range(2)] == [1, 2]
    log = pipe.close()
    for text in ("ok\n", "reject\n", "no line feed", "straight\n", "from a child\n"):
        assert text in log


LATER = """
hook({
  async validate_recipient(request, { signal }) {
    await new Promise((done) => { setTimeout(done, 1000 * request.local); signal.addEventListener('abort', () => { log.info('aborted'); done(); }); });
    return reject(request.local, { code: 550 });
  },
}).run();"""


def test_handlers_wait_together_and_answer_as_they_are_ready(start):
    pipe = start(LATER)
    pipe.write("".join(to_line(recipient(number, local=str(wait))) + "\n" for number, wait in ((1, 0.3), (2, 0.15), (3, 0))))
    assert [json.loads(pipe.read())["id"] for _ in range(3)] == [3, 2, 1]


def test_what_was_asked_before_the_end_of_the_input_is_answered(start):
    pipe = start(LATER)
    pipe.write(to_line(recipient(1, local="0.2")) + "\n")
    pipe.process.stdin.close()
    assert json.loads(pipe.read())["id"] == 1 and pipe.process.wait(5) == 0


def test_cancel_aborts_the_signal_and_both_are_answered(start):
    pipe = start(LATER)
    pipe.write(to_line(recipient(1, local="1")) + "\n" + to_line({"v": 1, "id": 2, "event": "cancel", "target": 1}) + "\n")
    assert {json.loads(pipe.read())["id"] for _ in range(2)} == {1, 2}
    assert pipe.close() == "<6>aborted\n"


def test_a_promise_that_nobody_waits_for_does_not_end_the_hook(start):
    pipe = start("hook({ validate_recipient() { Promise.reject(new Error('forgotten')); } }).run();")
    assert pipe.ask(recipient())["action"] == "accept" and pipe.ask(recipient())["action"] == "accept"
    assert "<3>a promise was rejected, and nobody had waited for it\n<3>Error: forgotten\n" in pipe.close()


def test_a_line_that_is_no_request_is_deferred(start):
    pipe = start("hook({}).run();")
    for line in ("", "x", "[]", "7", '{"v":1,', "null"):
        assert json.loads(pipe.ask_line(line)) == {"action": "defer"}


def test_what_comes_together_is_answered_in_one_write(start, tmp_path):
    pipe = start("hook({ async validate_recipient() {} }).run();")
    with subprocess.Popen(["strace", "-f", "-qq", "-e", "trace=write", "-s", "20", "-o", tmp_path / "strace", "-p", str(pipe.process.pid)],
                          stderr=subprocess.PIPE) as strace:
        json.loads(pipe.ask_line(to_line(recipient(0))))
        pipe.write("".join(to_line(recipient(number)) + "\n" for number in range(1, 65)))
        assert [json.loads(pipe.read())["id"] for _ in range(64)] == list(range(1, 65))
        pipe.close()
        strace.wait()
    assert (tmp_path / "strace").read_text().count('"{\\"id\\"') <= 4


def test_an_es_module_takes_it_by_create_require(start):
    pipe = start("""import { createRequire } from 'module';
const { hook } = createRequire(import.meta.url)('hooksmtpd');
hook({ validate_recipient() { console.log('safe'); return false; } }).run();""", "hook.mjs")
    assert pipe.ask(recipient())["action"] == "reject" and pipe.close() == "safe\n"


def test_the_types_are_right(tmp_path):
    (tmp_path / "node.d.ts").write_text("declare module 'stream' { export class Readable {} }\ndeclare class Buffer extends Uint8Array {}\n")
    (tmp_path / "hook.ts").write_text("""import { accept, hook, log, raw, reject } from './hooksmtpd';
hook({
  validate_recipient(request) {
    if (request.domain_ascii === 'x' || request.tls?.bits === 0) return reject('no', { code: 550 });
    log.info(this.options.x, request.params.SIZE, raw(request, 'address'));
  },
  async deliver(request, { signal }) {
    if (signal.aborted) return 'defer';
    const octets: Uint8Array = await request.message.bytes();
    return accept({ notes: { octets: octets.length } });
  },
  auth: (request) => request.password === 'x',
  deliver_mime({ mime }) {
    return [...mime.walk()].every((part) => part.filename === null);
  },
}, { modifies: ['recipient'], concurrency: 8 }).run();
// @ts-expect-error no such key
hook({ validate_recipient: (request) => request.adress === '' });
// @ts-expect-error no such event
hook({ validate_recipent: () => true });
// @ts-expect-error an auth handler must say something
hook({ auth() {} });
// @ts-expect-error no such thing can be modified
hook({}, { modifies: ['body'] });
// @ts-expect-error no answer
hook({ data: () => 7 });
""")
    (tmp_path / "hooksmtpd.d.ts").write_text((ROOT / "hooks/node/hooksmtpd.d.ts").read_text())
    done = subprocess.run(["/usr/bin/tsc", "--noEmit", "--strict", "--target", "es2022", "--lib", "es2022,dom", "node.d.ts", "hook.ts"],
                          cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
