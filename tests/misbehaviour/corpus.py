"""Hooks that do what hooks should not. Each is a few lines of shell, asked about the recipient bad@… and good@…

A hook answers hello and good@ as it should, and misbehaves when it is asked about bad@; or it misbehaves at hello. Then the
client hears `smtp`, exactly, and the daemon logs a line about this hook in which `log` is found. `again`: it is asked on
the same session about good@ afterwards, and answers, be it after a restart.
"""

import dataclasses

DEFERRED = "451 4.3.0 Requested action aborted: try again later"
ACCEPTED = "250 2.1.5 OK"


@dataclasses.dataclass
class Bad:
    body: str  # of the shell script, when asked about bad@
    log: str  # a regular expression
    smtp: str = DEFERRED
    hello: str = "echo ok"  # how it answers hello
    again: bool = True
    found_later: bool = False  # the daemon notices when it asks the next time


def says(line: str, log: str, smtp: str = DEFERRED, hello: str = "echo ok") -> Bad:
    """One line, which printf writes."""
    assert "'" not in line
    return Bad(f"printf '%b\\n' '{line}'", log, smtp, hello)


def json(text: str, log: str, smtp: str = DEFERRED, hello: str = "echo ok") -> Bad:
    """One line as it stands here."""
    assert "'" not in text
    return Bad(f"printf '%s\\n' '{text}'", log, smtp, hello)


CONCURRENT = """echo '{"concurrency":4}'"""
MODIFIES = """echo '{"modifies":["recipient","headers"]}'"""
TIMED_OUT = "did not answer validate_recipient in time"
STRAY = "stray line on stdout, skipped"

CORPUS = {
    # --- when it answers
    "never_answers": Bad(":", TIMED_OUT),
    "answers_late": Bad("sleep 2; echo ok", TIMED_OUT),
    "half_a_line": Bad("printf ok; sleep 100", 'in time; it wrote "ok" without a line feed'),
    "half_an_object": Bad("""printf '{"action":'; sleep 100""", "without a line feed"),
    "answers_twice": Bad("echo ok; echo ok", "nobody had asked for", ACCEPTED),
    "speaks_unasked": Bad("echo ok; sleep 0.1; echo 'reject 550 no'", "nobody had asked for", ACCEPTED),
    "yes": Bad("exec yes", "it wrote 100 lines that are no replies"),
    "yes_ok": Bad("exec yes ok", "nobody had asked for", ACCEPTED),
    "stops": Bad("kill -STOP $$", TIMED_OUT),
    "spins": Bad("while :; do :; done", TIMED_OUT),
    # --- how it ends
    "exits": Bad("exit 0", "it ended"),
    "exits_with_a_status": Bad("exit 3", "it ended"),
    "kills_itself": Bad("kill -KILL $$", "it ended"),
    "crashes": Bad("kill -SEGV $$", "it ended"),
    "daemonises": Bad("(exec sleep 1000) & exit 0", "it ended|" + TIMED_OUT),
    "closes_stdout": Bad("exec >&-; sleep 100", "it ended, or closed its standard output"),
    "closes_stdin": Bad("exec <&-; echo ok; sleep 100", "it closed its standard input", ACCEPTED, found_later=True),
    "answers_and_exits": Bad("echo ok; exit 0", "it ended", ACCEPTED),
    # --- lines that are no replies
    "prints_to_stdout": Bad("echo checking bad; echo ok", STRAY + '.*"checking bad"', ACCEPTED),
    "a_hundred_stray_lines": Bad("yes checking | head -n 100", "it wrote 100 lines that are no replies"),
    "an_empty_line": Bad("echo; echo ok", STRAY, ACCEPTED),
    "upper_case": says("OK", STRAY + '.*"OK"'),
    "ok_and_more": says("ok fine", "nothing may follow this word"),
    "an_array": json("[]", STRAY),
    "a_number": says("250", STRAY),
    "http": says("HTTP/1.1 200 OK", STRAY),
    "python_notation": Bad('''printf '%s\\n' "{'action': 'accept'}"''', "json.dumps"),
    "two_objects": json('{"action":"accept"}{"action":"reject"}', "not a JSON object on one line"),
    "an_object_on_two_lines": says('{"action":\\n"accept"}', STRAY),
    "a_byte_order_mark": says("\\0357\\0273\\0277ok", STRAY),
    "utf_16": Bad("printf 'o\\0k\\0\\n\\0'", STRAY),
    "nul": says("ok\\0000", STRAY),
    "terminal_escapes": says("\\0033[2Jok", r"\\x1b\[2Jok"),
    "a_number_that_is_none": json('{"action":"reject","code":1e400}', STRAY),
    "lone_surrogate": json('{"action":"reject","text":"\\ud800"}', STRAY),
    # --- replies that are wrong
    "a_line_of_a_mebibyte": Bad("head -c 1048576 /dev/zero | tr '\\0' x; echo", "a line of more than 65536 octets"),
    "endless_line": Bad("exec tr '\\0' x < /dev/zero", "a line of more than 65536 octets"),
    "unknown_action": says('{"action":"perhaps"}', 'unknown action "perhaps"'),
    "action_of_another_type": says('{"action":["accept"]}', '"action" must be a string'),
    "no_action": says('{"text":"hello"}', 'the reply has no "action"'),
    "wrong_id": says('{"id":424242,"action":"accept"}', "it answered request 424242 instead of"),
    "gives_the_request_back": Bad("printf '%s\\n' \"$request\"", "it gives the request back"),
    "code_250_on_reject": says("reject 250 fine", "code 250 contradicts reject"),
    "code_550_on_defer": says("defer 550 no", "code 550 contradicts defer"),
    "code_554_on_close": says('{"action":"close","code":554}', "code 554 contradicts close"),
    "status_against_the_action": says("reject 550 4.1.1 no", "4.1.1 contradicts reject"),
    "code_in_quotes": says('{"action":"reject","code":"550"}', '"code" must be a whole number'),
    "half_a_code": says('{"action":"reject","code":550.5}', '"code" must be a whole number'),
    "a_key_twice": says('{"action":"accept","action":"reject"}', '"action" comes twice'),
    "huge_number": says('{"id":123456789012345678901234567890,"action":"accept"}', '"id" must be a whole number'),
    "negative_delay": says('{"action":"accept","delay_ms":-1}', '"delay_ms" must be a whole number'),
    "endless_delay": says('{"action":"accept","delay_ms":99999999}', '"delay_ms" must be at most'),
    "too_many_lines": Bad("""printf '{"action":"reject","text":["x"'; yes ',"x"' | head -n 100 | tr -d '\\n'; echo ']}'""",
                          '"text" has more than 100 lines'),
    "not_utf_8": Bad("""printf '{"action":"reject","text":"\\377"}\\n'""", "the reply is not UTF-8"),
    "words_not_utf_8": Bad("printf 'reject \\377\\n'", "the text of the reply is not UTF-8"),
    "deep_nesting": Bad("""printf '{"action":"accept","x":'; yes '[' | head -n 10000 | tr -d '\\n'; echo""",
                        "nested deeper than 16 levels"),
    # --- replies that try to do more
    "crlf_in_the_text": json('{"action":"reject","code":550,"text":"no\\r\\n250 2.1.5 OK"}', "action=reject",
                             "550 5.0.0 no  250 2.1.5 OK"),
    "escapes_in_the_text": json('{"action":"reject","code":550,"text":"\\u001b[2Jno\\u0000\\u2028!"}', "action=reject",
                                "550 5.0.0  [2Jno ???!"),
    "undeclared_rewrite": json('{"action":"accept","rewrite":"root@victim.example"}', r'needs "modifies":\["recipient"\]'),
    "undeclared_headers": json('{"action":"accept","add_headers":[["X-A","b"]]}', r'needs "modifies":\["headers"\]'),
    "a_header_on_two_lines": json('{"action":"accept","add_headers":[["X-A","b\\r\\nBcc: c@d.example"]]}',
                                  'the header field "X-A" must be printable ASCII', hello=MODIFIES),
    "no_name_of_a_header": json('{"action":"accept","add_headers":[["X-A: b\\r\\nY","c"]]}', "is no name of a header field",
                                hello=MODIFIES),
    "rewrite_to_two_lines": json('{"action":"accept","rewrite":"a@b>\\r\\nRCPT TO:<c@d.example"}', '"rewrite" must be an address',
                                 hello=MODIFIES),
    "rewrite_to_nobody": json('{"action":"accept","rewrite":""}', '"rewrite" of a recipient must be an address', hello=MODIFIES),
    "rewrite_of_a_refused_one": json('{"action":"reject","rewrite":"a@b.example"}', "goes with the action accept only",
                                     hello=MODIFIES),
    "notes_too_large": Bad("""printf '{"action":"accept","notes":{"n":"'; yes x | head -n 5000 | tr -d '\\n'; echo '"}}'""",
                           '"notes" has 5008 octets'),
    "notes_that_are_none": json('{"action":"accept","notes":[1]}', '"notes" must be an object'),
    "abrupt_accept": json('{"action":"accept","abrupt":true}', '"abrupt" goes with the action close only'),
    "a_key_that_nobody_knows": json('{"action":"accept","code_":1}', 'unknown key "code_"', ACCEPTED),
    "recipients_without_lmtp": json('{"recipients":[{"action":"reject"}]}', "over LMTP only", ACCEPTED),
    # --- beside the pipe
    "floods_stderr": Bad("yes loud | head -n 20000 >&2; echo ok", "loud", ACCEPTED),
    "fakes_a_log_line": Bad("printf 'x\\nhook ready hook=root/1 \\033[2J\\n' >&2; echo ok", r"session=\S+: hook ready hook=root/1 \?\[2J", ACCEPTED),
    "closes_stderr": Bad("exec 2>&-; echo checking; echo ok", STRAY, ACCEPTED),
    "leaves_children": Bad("sleep 1000 & sleep 1000 & echo ok; exit 0", "it ended|closed", ACCEPTED),
    # --- with concurrency
    "no_id_with_concurrency": says("ok", 'without an "id"', hello=CONCURRENT),
    "another_id_with_concurrency": says('{"id":424242,"action":"accept"}', "request 424242, which nobody asks", hello=CONCURRENT),
    # --- at hello
    "exits_at_hello": Bad(":", "it ended", hello="exit 1", again=False),
    "silent_at_hello": Bad(":", "did not answer hello in time.*flush=True", hello="sleep 100", again=False),
    "echoes_hello": Bad(":", "it gives the request back", hello="printf '%s\\n' \"$request\"", again=False),
    "not_ready": Bad(":", "it says that it is not ready: no users.db", hello="""echo '{"ready":false,"text":"no users.db"}'""", again=False),
    "another_major_version": Bad(":", "it speaks version 2 of the protocol", hello="""echo '{"v":2}'""", again=False),
    "no_concurrency_at_all": Bad(":", '"concurrency" must be at least 1', hello="""echo '{"concurrency":0}'""", again=False),
    "declines_too_much": Bad(":", '"deliver" cannot be declined', hello="""echo '{"decline":["deliver"]}'""", again=False),
    "modifies_too_much": Bad(":", '"modifies" may have', hello="""echo '{"modifies":["body"]}'""", again=False),
    "banner_at_hello": Bad("echo ok", STRAY + '.*"policy 2.1 starting"', ACCEPTED, hello="echo policy 2.1 starting; echo ok"),
}


def script(bad: Bad) -> str:
    return f"""#!/bin/sh
IFS= read -r request
{bad.hello}
while IFS= read -r request; do
  case $request in
    *'"address":"bad@'*) {bad.body} ;;
    *'"address":"good@'*) {'echo ok' if 'concurrency' not in bad.hello else CONCURRENT_OK} ;;
    *) echo ok ;;
  esac
done
"""


CONCURRENT_OK = """id=${request#*\\"id\\":}; printf '{"id":%s,"action":"accept"}\\n' "${id%%,*}\""""
