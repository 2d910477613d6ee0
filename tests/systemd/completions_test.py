"""What the shells offer behind `hooksmtpd` and `hooksmtpctl`: all that --help says, and nothing else."""

import pathlib
import re
import subprocess
import tempfile

import pytest

from harness.daemon import BUILD

FOLDER = pathlib.Path(__file__).parents[2] / "systemd/completions"
PROGRAMS = {"hooksmtpd": BUILD / "daemon/launcher/hooksmtpd", "hooksmtpctl": BUILD / "daemon/ctl/hooksmtpctl"}
COMMANDS = [("hooksmtpd", words) for words in ("", "run", "check-config", "run-hook", "tls", "tls init")]
COMMANDS += [("hooksmtpctl", words) for words in ("", "status", "ready", "configure", "cget", "reload", "stop", "trace", "wait",
                                                 "expect", "hooks", "hooks restart", "hook", "hook new", "hook test",
                                                 "hook record", "hook replay", "inbox", "inbox list", "inbox search",
                                                 "inbox show", "inbox wait", "inbox delete", "inbox export")]


def of_help(program: str, words: str) -> tuple[set[str], set[str]]:
    """Its long options and its subcommands."""
    text = subprocess.run([str(PROGRAMS[program]), *words.split(), "--help"], check=True, capture_output=True, text=True).stdout
    options = set(re.findall(r"^ {2,}(?:-\w,)?(--[\w-]+)", text, re.MULTILINE))
    _, found, below = text.partition("Subcommands:\n")
    return options, set(re.findall(r"^  (\S+)", below, re.MULTILINE)) if found else set()


def bash(program: str, words: str, typed: str) -> set[str]:
    script = f"""source {FOLDER}/{program}.bash
COMP_WORDS=({program} {words} '{typed}'); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
_{program}; printf '%s\\n' "${{COMPREPLY[@]}}" """
    done = subprocess.run(["bash", "--norc", "-c", script], check=True, capture_output=True, text=True, env={"PATH": "/usr/bin:/bin"})
    return set(done.stdout.split())


def fish(program: str, words: str, typed: str) -> set[str]:
    script = f"source {FOLDER}/{program}.fish; complete -C '{' '.join(filter(None, [program, words]))} {typed}'"
    with tempfile.TemporaryDirectory() as home:  # where fish makes folders of its own
        done = subprocess.run(["fish", "--no-config", "-c", script], check=True, capture_output=True, text=True,
                              env={"PATH": "/usr/bin:/bin", "HOME": home})
    return {line.split("\t")[0] for line in done.stdout.splitlines()}


SHELLS = {"bash": bash, "fish": fish}


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize(("program", "words"), COMMANDS, ids=[" ".join(command).strip() for command in COMMANDS])
def test_each_option_and_command_is_offered(shell, program, words):
    options, subcommands = of_help(program, words)
    offered = {word for word in SHELLS[shell](program, words, "--") if word != "--"}
    assert offered == options
    if subcommands:
        assert {word for word in SHELLS[shell](program, words, "") if not word.startswith("-")} == subcommands


@pytest.mark.parametrize("program", PROGRAMS)
def test_zsh_reads_the_file_and_it_names_every_option(program):
    file = FOLDER / f"_{program}"
    assert file.read_text().startswith(f"#compdef {program}\n")
    subprocess.run(["zsh", "-n", str(file)], check=True)
    for name, words in COMMANDS:
        if name == program:
            options, subcommands = of_help(program, words)
            for word in options | subcommands:
                assert re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", file.read_text()), f"{words} {word}"
