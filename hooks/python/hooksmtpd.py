"""Hooks for hooksmtpd in Python. This one file is the whole library and its manual; it needs Python 3.9 and no more.

    #!/usr/bin/env python3
    from hooksmtpd import Hook, reject

    hook = Hook("policy")

    @hook.validate_recipient
    def recipient(request):
        if request.domain == "blocked.example":
            return reject("no such user", code=550, enhanced="5.1.1")

    @hook.deliver
    def deliver(request):
        request.message.save(f"{request.transaction}.eml")

    hook.run()

The daemon puts this file on PYTHONPATH. A copy beside the hook does as well.

What a handler may return, or raise:
    accept(), reject(), defer(), discard(), close(), per_recipient()   a Reply, with what is to be said
    None, True     accept. An `auth` handler must say True or accept(): who falls off its end lets nobody in.
    False          reject, in the words of the daemon
    "reject 550 5.1.1 no such user"   a string is a word line of the protocol
Any other exception is a temporary failure for this client, and its traceback is in the daemon's log.

A handler may be `async def`: then several requests are out at once, `await` in one lets others run, and a client that
goes away cancels its task (asyncio.CancelledError), if the hook is subscribed to `cancel`. Hook(threads=8) does the same
for plain functions that wait for something: they run in threads.

What nobody handles is accepted, but for `auth`, `deliver` and `deliver_mime`: a yes to those would be a lie.

`print` is safe: Hook() moves standard output away, and what is printed goes to the daemon's log. So does what programs
write that the hook runs. `hook.log` writes there with a level.
"""

from __future__ import annotations

import base64
import io
import json
import os
import re
import shutil
import sys
import time
import traceback
from typing import TYPE_CHECKING, Any, Awaitable, BinaryIO, Callable, Iterable, Iterator, Optional, TypeVar, Union

if TYPE_CHECKING:
    import asyncio
    from email.message import EmailMessage

EVENTS = ("hello", "validate_host", "helo", "starttls", "auth", "validate_sender", "validate_recipient", "data", "deliver",
          "deliver_mime", "command", "reset", "disconnect", "cancel")
__all__ = ["EVENTS", "Hook", "Request", "Message", "Part", "Reply", "accept", "reject", "defer", "discard", "close", "per_recipient"]


# --- What is asked

class Record(dict[str, Any]):
    """A JSON object; its keys are attributes too: `request.address` is `request["address"]`."""

    if not TYPE_CHECKING:  # a type checker knows the names below, and no others
        def __getattr__(self, name: str) -> Any:
            try:
                value = self[name]
            except KeyError:
                if name in _MAY_BE_ABSENT:
                    return _MAY_BE_ABSENT[name]()
                raise AttributeError(f"no {name!r} here, but {', '.join(self)}") from None
            return _KINDS.get(name, Record)(value) if type(value) is dict else value

    def raw(self, key: str) -> Any:
        """The exact bytes of a text, also where they are not UTF-8 (each such byte stands as U+FFFD in the text); of a
        list of texts, a list of bytes."""
        value, exact = self[key], self.get(key + "_b64")
        if isinstance(value, list):
            return [_bytes(text, twin) for text, twin in zip(value, exact or [None] * len(value))]
        return _bytes(value, exact)


class Endpoint(Record):
    ip: str  #: "" for a client of a unix socket
    port: int


class Tls(Record):
    version: str
    cipher: str
    bits: int
    server_name: str  #: what the client called the server
    client_subject: str  #: these three are about the client's certificate, if it showed one
    client_fingerprint: str
    client_verified: bool


class Message(Record):
    """The message: raw octets with CRLF line ends, as a file or inline. The file is gone after the reply."""

    size: int
    eight_bit: bool
    long_lines: int
    trace_headers: int  #: how many header fields the daemon put in front
    added_headers: int  #: and how many hooks did, below those
    path: str

    def open(self) -> BinaryIO:
        """To read the octets from the beginning."""
        return open(self["path"], "rb") if "path" in self else io.BytesIO(self.bytes())

    def bytes(self) -> bytes:
        if "path" in self:
            with open(self["path"], "rb") as file:
                return file.read()
        exact: bytes = self.raw("data") if "data" in self else base64.b64decode(self["data_b64"])
        return exact

    def save(self, path: str) -> None:
        """Copies the octets to a file: whole and on disk when this returns."""
        unfinished = f"{path}.unfinished"
        with self.open() as source, open(unfinished, "wb") as file:
            shutil.copyfileobj(source, file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(unfinished, path)
        folder = os.open(os.path.dirname(path) or ".", os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def email(self) -> EmailMessage:
        """As the standard library reads it: `message.email()["subject"]`."""
        from email import message_from_binary_file, policy
        with self.open() as file:
            parsed: Any = message_from_binary_file(file, policy=policy.default)
        found: EmailMessage = parsed
        return found


class Part(Record):
    """A node of `request.mime`, the parsed message of `deliver_mime`."""

    type: str  #: "text/plain"
    params: Record
    headers: list[list[str]]  #: [name, raw, decoded], in order
    disposition: Optional[str]
    filename: Optional[str]
    encoding: Optional[str]
    defects: list[str]
    size: int  #: of the decoded body of a leaf
    path: str  #: and the file it is in
    charset: str
    text: str  #: of a text part, as Unicode

    @property
    def parts(self) -> list[Part]:
        """Those of a multipart; of a message/rfc822 the message."""
        return [Part(part) for part in self.get("parts", [self["message"]] if "message" in self else [])]

    def header(self, name: str, default: str = "") -> str:
        """The first header field of that name, decoded."""
        return next((field[2] for field in self["headers"] if field[0].lower() == name.lower()), default)

    def walk(self) -> Iterator[Part]:
        """This part and everything in it, in order."""
        yield self
        for part in self.parts:
            yield from part.walk()

    def open(self) -> BinaryIO:
        """The decoded body of a leaf."""
        return open(self["path"], "rb")


class Request(Record):
    """What the daemon asks: a dict. Which keys come with which event is in PROTOCOL.md."""

    event: str
    id: int
    session: str
    transaction: str
    listener: str
    client: Endpoint
    server: Endpoint
    helo: str
    protocol: str  #: "ESMTPS", ...
    tls: Optional[Tls]
    user: Optional[str]  #: who has authenticated
    notes: Record  #: what this hook has noted in this session
    address: str  #: of validate_*: whom it is about
    local: str
    domain: str
    domain_ascii: str  #: as the DNS spells `domain`: the one to compare
    params: Record  #: of MAIL or RCPT: {"SIZE": "1834"}
    accepted: int  #: recipients before this one
    to: list[str]
    to_params: list[dict[str, Any]]
    received_at: str
    message: Message
    name: str  #: of helo, with `verb`
    verb: str
    line: str  #: of command
    reason: str  #: of reset and disconnect
    counts: Record
    duration_ms: int
    dialogue: list[dict[str, Any]]
    mechanism: str  #: of auth, with the proofs: never log them
    authorization_id: str
    password: str
    token: str
    challenge: str
    digest: str
    target: int  #: of cancel
    options: Record  #: of hello

    @property
    def sender(self) -> str:
        """`from`, which is a word of Python's own. "" is the sender of a bounce."""
        found: str = self["address" if self["event"] == "validate_sender" else "from"]
        return found

    @property
    def mime(self) -> Part:
        """The message as a tree."""
        tree = self["mime"]
        if "type" not in tree:
            with open(tree["path"], encoding="ascii") as file:
                tree = json.load(file)
        return Part(tree)

    def __repr__(self) -> str:
        if self.get("event") != "auth":
            return f"Request({super().__repr__()})"
        return f"Request({ {key: '***' if key.split('_b64')[0] in _SECRET else value for key, value in self.items()} })"


_KINDS: dict[str, type[Record]] = {"client": Endpoint, "server": Endpoint, "tls": Tls, "message": Message}
_SECRET = ("password", "token", "digest", "challenge")
_MAY_BE_ABSENT: dict[str, Callable[[], Any]] = {
    "tls": lambda: None, "user": lambda: None, "notes": Record, "to_params": list, "added_headers": int, "dialogue": list}


def _bytes(text: str, exact: Optional[str]) -> bytes:
    if exact is not None:
        return base64.b64decode(exact)
    return _well_formed(text).encode()


def _well_formed(text: str) -> str:
    """Without lone surrogates, which are not Unicode."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


# --- What is answered

class Reply(Exception):
    """An answer, to return or to raise; made by the functions below. The same one may be given many times."""

    def __init__(self, fields: dict[str, Any]) -> None:
        super().__init__(fields.get("text") or fields.get("action"))
        self.fields = {key: value for key, value in fields.items() if value is not None}
        action, code, enhanced = (self.fields.get(key) for key in ("action", "code", "enhanced"))
        low, high = _CODES.get(action or "", (0, -1))
        if code is not None and not low <= code <= high:
            raise ValueError(f"{action} with the code {code}: it must be {low} to {high}")
        if enhanced is not None and not re.fullmatch(rf"{low // 100}\.\d{{1,3}}\.\d{{1,3}}", enhanced):
            raise ValueError(f"{action} with the enhanced code {enhanced!r}: it must be {low // 100}.y.z")
        text = _encode(self.fields)
        if "\\ud" in text:
            text = _encode(json.loads(_well_formed(json.dumps(self.fields, ensure_ascii=False))))
        if len(text) > _MAX_LINE:
            raise ValueError(f"a reply of {len(text)} octets: the daemon reads {_MAX_LINE}")
        self.tail: str = f",{text[1:]}\n" if self.fields else "}\n"  # what follows the id in the line


Answer = Union[Reply, bool, str, None]
Handler = TypeVar("Handler", bound=Callable[[Request], Union[Answer, Awaitable[Answer]]])
Text = Union[str, Iterable[str], None]
Notes = Optional[dict[str, Any]]


def accept(text: Text = None, *, rewrite: Optional[str] = None, add_headers: Optional[Iterable[tuple[str, str]]] = None,
           notes: Notes = None, delay_ms: Optional[int] = None) -> Reply:
    """Yes. `rewrite`: another address, for a sender or recipient. `add_headers`: [("X-Name", "value"), ...]. Both need
    Hook(modifies=...). `notes`: a small dict that comes back as request.notes in this session; {} forgets."""
    headers = None if add_headers is None else [list(field) for field in add_headers]
    return _reply("accept", text, rewrite=rewrite, add_headers=headers, notes=notes, delay_ms=delay_ms)


def reject(text: Text = None, *, code: Optional[int] = None, enhanced: Optional[str] = None, notes: Notes = None,
           delay_ms: Optional[int] = None) -> Reply:
    """No, for good: 500 to 559, "5.y.z". The client reads `text` (of several lines, if it is a list) where there is a
    code, or where PROTOCOL.md says so."""
    return _reply("reject", text, code=code, enhanced=enhanced, notes=notes, delay_ms=delay_ms)


def defer(text: Text = None, *, code: Optional[int] = None, enhanced: Optional[str] = None, notes: Notes = None,
          delay_ms: Optional[int] = None) -> Reply:
    """Not now: 400 to 459, "4.y.z". The client tries again later."""
    return _reply("defer", text, code=code, enhanced=enhanced, notes=notes, delay_ms=delay_ms)


def discard(*, notes: Notes = None, delay_ms: Optional[int] = None) -> Reply:
    """The client hears yes, and nothing is kept."""
    return _reply("discard", None, notes=notes, delay_ms=delay_ms)


def close(text: Text = None, *, enhanced: Optional[str] = None, abrupt: bool = False, delay_ms: Optional[int] = None) -> Reply:
    """421, and the connection ends. `abrupt`: without a word."""
    return _reply("close", text, enhanced=enhanced, abrupt=abrupt or None, delay_ms=delay_ms)


def per_recipient(answers: Iterable[Answer]) -> Reply:
    """To a message that came over LMTP: an answer for each of request.to."""
    return Reply({"recipients": [_reply_of(answer).fields or {"action": "accept"} for answer in answers]})


def _reply(action: str, text: Text, **fields: Any) -> Reply:
    if text is not None and not isinstance(text, str):
        text = list(text)
    return Reply({"action": action, **fields, "text": text})


def _reply_of(answer: Answer) -> Reply:
    if answer is None or answer is True:
        return _ACCEPT
    if answer is False:
        return _REJECT
    if isinstance(answer, Reply):
        return answer
    words = _WORDS.fullmatch(answer) if isinstance(answer, str) else None
    if words and words["close"]:
        return close(words["rest"])
    if words and (words["yes"] or words["no"]):
        code = int(words["code"]) if words["code"] else None
        action = words["no"] or ("accept" if words["yes"] in ("ok", "accept") else "discard")
        return _reply(action, words["text"] or None, code=code, enhanced=words["enhanced"])
    raise ValueError(f"{answer!r} is no answer: return accept(), reject(...), True, \"reject 550 5.1.1 no such user\"...")


_CODES = {"reject": (500, 559), "defer": (400, 459), "close": (421, 421)}
_MAX_LINE = 65000  # of 64 KiB: the id needs some too
_WORDS = re.compile(r"""(?P<yes>ok|accept|discard|drop)\s* | (?P<close>close)(\ +(?P<rest>.*))? |
    (?P<no>reject|defer)(\ +(?P<code>\d{3})(?!\S))?(\ +(?P<enhanced>[245]\.\d{1,3}\.\d{1,3})(?!\S))?(\ +(?P<text>.*))?""", re.VERBOSE)
_NEEDS_A_HANDLER = ("auth", "deliver", "deliver_mime", None)  # None: a line that is no request
_A_WHILE = 0.002  # seconds that a reply may wait for others
_decode, _decode_first = json.JSONDecoder().decode, json.JSONDecoder().raw_decode
_encode = json.JSONEncoder(separators=(",", ":")).encode
_ACCEPT, _REJECT, _DEFER = accept(), reject(), defer()
_YES: str = _ACCEPT.tail


# --- The hook

class Hook:
    """A program that the daemon asks. `name`, `version`: for people. `concurrency`: how many requests it takes at once,
    1 to 256 (64 if a handler is async): many quick ones are then read, answered and written together. `threads`: plain
    functions run in so many threads. `body="inline"`: small messages come in the request. `dialogue`: disconnect tells
    what was said. `stores`: it keeps messages. `modifies`: which of "sender", "recipient", "headers" it may change."""

    options: Record  #: those of the configuration, from hello on
    daemon: Request  #: all of hello: `isolation`, `instance`, `timeout_ms`, ...

    def __init__(self, name: str = "", version: str = "", *, concurrency: Optional[int] = None, threads: int = 0,
                 body: str = "path", dialogue: bool = False, stores: bool = False, modifies: Iterable[str] = ()) -> None:
        self.log = Log()
        self._about = {"name": name, "version": version, "stores": stores, "dialogue": dialogue,
                       "body": body if body != "path" else None, "modifies": list(modifies)}
        self._concurrency, self._threads = concurrency, threads
        self._handlers: dict[str, Callable[[Request], Any]] = {}
        self._async: set[str] = set()
        self._special = {"hello", "auth"}  # and what is in _async: other than a call and an answer
        self._pipes: Optional[tuple[int, int]] = None
        if sys._getframe(1).f_globals.get("__name__") == "__main__":  # not where a test imports a hook
            self._take_pipes()

    def on(self, *events: str) -> Callable[[Handler], Handler]:
        """@hook.on("validate_sender", "validate_recipient"): handles these events."""
        unknown = set(events) - set(EVENTS)
        if unknown:
            raise ValueError(f"no such event: {', '.join(sorted(unknown))}. There are {', '.join(EVENTS)}")

        def register(handler: Handler) -> Handler:
            import inspect
            for event in events:
                self._handlers[event] = handler
                self._async.discard(event)
                if inspect.iscoroutinefunction(handler):
                    self._async.add(event)
            self._special = {"hello", "auth"} | self._async
            return handler
        return register

    def hello(self, handler: Handler) -> Handler:
        """The daemon has started this hook: `options` are there. To raise says "not ready", and why."""
        return self.on("hello")(handler)

    def validate_host(self, handler: Handler) -> Handler:
        """A client has connected from `address`."""
        return self.on("validate_host")(handler)

    def helo(self, handler: Handler) -> Handler:
        """HELO, EHLO or LHLO (`verb`) with `name`."""
        return self.on("helo")(handler)

    def starttls(self, handler: Handler) -> Handler:
        """TLS has begun: `tls`."""
        return self.on("starttls")(handler)

    def auth(self, handler: Handler) -> Handler:
        """`user` says who it is; `mechanism` and its proof. Compare secrets with hmac.compare_digest; never log them."""
        return self.on("auth")(handler)

    def validate_sender(self, handler: Handler) -> Handler:
        """MAIL FROM:<`address`>, "" for a bounce."""
        return self.on("validate_sender")(handler)

    def validate_recipient(self, handler: Handler) -> Handler:
        """RCPT TO:<`address`>, from `sender`."""
        return self.on("validate_recipient")(handler)

    def data(self, handler: Handler) -> Handler:
        """DATA, before the message: from `sender` to the list `to`."""
        return self.on("data")(handler)

    def deliver(self, handler: Handler) -> Handler:
        """The message has come: `message`. Return when it is safe."""
        return self.on("deliver")(handler)

    def deliver_mime(self, handler: Handler) -> Handler:
        """The same, parsed: `mime` too."""
        return self.on("deliver_mime")(handler)

    def command(self, handler: Handler) -> Handler:
        """An unknown command: `line`."""
        return self.on("command")(handler)

    def reset(self, handler: Handler) -> Handler:
        """The transaction is over without its message: `reason`. What is returned decides nothing, as with the next two."""
        return self.on("reset")(handler)

    def disconnect(self, handler: Handler) -> Handler:
        """The session is over: `reason`, `counts`, `duration_ms`."""
        return self.on("disconnect")(handler)

    def cancel(self, handler: Handler) -> Handler:
        """Nobody waits for the answer to request `target` any more; its task is cancelled without this."""
        return self.on("cancel")(handler)

    def run(self) -> None:
        """Answers until the daemon has no more questions."""
        source, sink = self._take_pipes()
        lines = _Lines(source, self.log)
        try:
            if self._on_loop():
                import asyncio
                asyncio.run(_Loop(self, lines, sink).serve())
            else:
                self._serve(lines, sink)
        except (BrokenPipeError, KeyboardInterrupt):
            pass  # the daemon is gone, or somebody who tried this by hand

    def ask(self, event: str, **keys: Any) -> dict[str, Any]:
        """What the hook would answer, for tests: hook.ask("validate_recipient", address="a@b.example")["action"]."""
        request = Request({"v": 1, "id": 1, "event": event, **keys})
        line = self._answer(request)
        if not isinstance(line, str):
            import asyncio
            line = asyncio.run(line)
        answered: dict[str, Any] = json.loads(line)
        return answered

    # Inside.

    def _on_loop(self) -> bool:
        return bool(self._async or self._threads)

    def _take_pipes(self) -> tuple[int, int]:
        """From here on nobody else reads requests or writes replies by mistake: not print, and no child process."""
        if self._pipes is None:
            self._pipes = (os.dup(0), os.dup(1))
            nothing = os.open(os.devnull, os.O_RDONLY)
            os.dup2(nothing, 0)
            os.close(nothing)
            os.dup2(2, 1)
            sys.stdout = sys.stderr
        return self._pipes

    def _serve(self, lines: _Lines, sink: int) -> None:
        """One request after the other; what comes together is answered together, unless that takes long."""
        while not lines.over:
            replies: list[str] = []
            due = time.monotonic() + _A_WHILE
            for request in lines.read():
                replies.append(self._answer(request))
                if time.monotonic() > due:
                    _write(sink, replies)
                    due = time.monotonic() + _A_WHILE
            _write(sink, replies)

    def _answer(self, request: Request) -> Any:
        """The line that answers; of an async handler, what to await for it."""
        event = request.get("event")
        try:
            handler = self._handlers.get(event)  # type: ignore[arg-type]
            if handler and event not in self._special and "id" in request:
                answer = handler(request)
                return f'{{"id":{request["id"]}{_YES if answer is None or answer is True else _reply_of(answer).tail}'
            if event == "hello":
                self.daemon, self.options = request, Record(request.get("options", {}))
            if handler and event in self._async:
                return self._answer_later(request, handler)
            return self._line(request, handler(request) if handler else self._unhandled(event))
        except Exception as error:
            return self._failed(request, error)

    async def _answer_later(self, request: Request, handler: Callable[[Request], Any]) -> str:
        try:
            return self._line(request, await handler(request))
        except Exception as error:
            return self._failed(request, error)

    def _line(self, request: Request, answer: Answer) -> str:
        event = request.get("event")
        if event == "hello":
            tail = self._introduction(answer).tail
        elif event == "auth" and answer is None:
            raise ValueError("this handler returned None: it must return True or accept() to let somebody in")
        else:
            tail = _reply_of(answer).tail
        return f'{{"id":{request["id"]}{tail}' if "id" in request else "{" + tail[1:]

    def _introduction(self, answer: Answer) -> Reply:
        if not (answer is None or answer is True):
            return Reply({"ready": False, "text": str(answer)})
        handled = {*self._handlers} - {"hello"}
        if self._on_loop() and "cancel" in self.daemon.get("events", []):
            handled.add("cancel")
        decline = [event for event in ("reset", "cancel") if event not in handled]
        concurrency = self._concurrency or (64 if self._async else self._threads or 1)
        about = {"ready": True, "v": 1, "concurrency": concurrency, **self._about,
                 "events": [event for event in EVENTS if event in handled], "decline": decline}
        return Reply({key: value for key, value in about.items() if value or key == "events"})

    def _unhandled(self, event: Optional[str]) -> Answer:
        if event not in _NEEDS_A_HANDLER:
            return None
        self.log.error(f"nothing here handles {event}: answered with defer. It needs a handler, or does not belong "
                       f"into `events` of the configuration")
        return _DEFER

    def _failed(self, request: Request, error: Exception) -> str:
        event = request.get("event")
        if isinstance(error, Reply):
            return self._line(request, error.with_traceback(None))  # or one that is raised often grew and grew
        where = error.__traceback__ and error.__traceback__.tb_next  # without this file's own frame
        if event == "auth":
            frames = "".join(traceback.format_tb(where))
            trace = f"{frames}{type(error).__name__} (its text is left out: it may hold a secret)"
        else:
            trace = "".join(traceback.format_exception(type(error), error, where))
        self.log.error(f"{event} failed, answered with defer\n{trace.rstrip()}")
        return self._line(request, f"{type(error).__name__}: {error}" if event == "hello" else _DEFER)


class Log:
    """Writes to the log of the daemon: hook.log.info("%s is new", address)."""

    def error(self, text: str, *values: object) -> None:
        self._write(3, text, values)

    def warning(self, text: str, *values: object) -> None:
        self._write(4, text, values)

    def notice(self, text: str, *values: object) -> None:
        self._write(5, text, values)

    def info(self, text: str, *values: object) -> None:
        self._write(6, text, values)

    def debug(self, text: str, *values: object) -> None:
        self._write(7, text, values)

    def _write(self, level: int, text: str, values: tuple[object, ...]) -> None:
        lines = (text % values if values else text).splitlines()
        data = "".join(f"<{level}>{line}\n" for line in lines).encode("utf-8", "backslashreplace")
        try:
            os.write(2, data)
        except OSError:
            pass


class _Lines:
    """The requests as they come."""

    def __init__(self, source: int, log: Log) -> None:
        self.source, self._log, self._rest = source, log, b""
        self.over = False

    def read(self) -> list[Request]:
        """Those of one read; none if a line is not whole yet."""
        data = os.read(self.source, 1 << 16)  # as much as a pipe holds; for twice as much malloc() would map fresh pages
        self.over = not data
        whole, end, rest = data.rpartition(b"\n")
        if not end:
            self._rest += rest
            return []
        text, self._rest = str(self._rest + whole, "utf-8", "replace"), rest
        try:  # all at once, which is faster
            array = f"[{text}]".replace("\n", ",")
            found, length = _decode_first(array)
            if length == len(array) and len(found) == text.count("\n") + 1:
                return [Request(json) for json in found]
        except (ValueError, TypeError):
            pass
        return [self._request(line) for line in text.split("\n")]

    def _request(self, line: str) -> Request:
        try:
            return Request(_decode(line))
        except (ValueError, TypeError):
            self._log.error(f"a line of {len(line)} characters that is no request, answered with defer")
            return Request()


class _Loop:
    """Serves a hook whose handlers are async or run in threads."""

    def __init__(self, hook: Hook, lines: _Lines, sink: int) -> None:
        self.hook, self.lines, self.sink = hook, lines, sink
        self.tasks: dict[Any, asyncio.Future[str]] = {}  # by the id of what they answer
        self.running: set[asyncio.Future[str]] = set()
        self.replies: list[str] = []

    async def serve(self) -> None:
        import asyncio
        import concurrent.futures
        self.loop = asyncio.get_running_loop()
        self.threads = concurrent.futures.ThreadPoolExecutor(self.hook._threads or 1)
        self.ended = self.loop.create_future()
        try:
            self.loop.add_reader(self.lines.source, self.readable)
            await self.ended
        except PermissionError:  # a file, which is always readable
            while not self.lines.over:
                self.readable()
                await asyncio.sleep(0)
        await asyncio.gather(*self.running, return_exceptions=True)
        self.write()

    def readable(self) -> None:
        for request in self.lines.read():
            event = request.get("event")
            if event == "cancel" and request["target"] in self.tasks:
                self.tasks[request["target"]].cancel()
            if self.hook._threads and event not in self.hook._async:
                self.later(request, self.loop.run_in_executor(self.threads, self.hook._answer, request))
                continue
            answer = self.hook._answer(request)
            if isinstance(answer, str):
                self.say(answer)
            else:
                self.later(request, self.loop.create_task(answer))
        if self.lines.over and not self.ended.done():
            self.loop.remove_reader(self.lines.source)
            self.ended.set_result(None)

    def later(self, request: Request, task: asyncio.Future[str]) -> None:
        def done(task: asyncio.Future[str]) -> None:
            self.running.discard(task)
            if self.tasks.get(number) is task:
                del self.tasks[number]
            self.say(self.hook._line(request, _DEFER) if task.cancelled() else task.result())

        number = request.get("id")
        self.tasks[number] = task
        self.running.add(task)
        task.add_done_callback(done)

    def say(self, line: str) -> None:
        """What is said in one turn of the loop is written at its end."""
        if not self.replies:
            self.loop.call_soon(self.write)
        self.replies.append(line)

    def write(self) -> None:
        try:
            _write(self.sink, self.replies)
        except BrokenPipeError as error:  # the daemon is gone
            if not self.ended.done():
                self.ended.set_exception(error)


def _write(sink: int, replies: list[str]) -> None:
    data = "".join(replies).encode("ascii")
    replies.clear()
    while data:
        data = data[os.write(sink, data):]
