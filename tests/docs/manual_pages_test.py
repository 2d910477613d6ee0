"""The manual pages: well formed, and what hooksmtpd-hooks(7) says of the protocol is what PROTOCOL.md says."""

import re
import subprocess

import pytest

from docs.document import ROOT, Document
from hooks.examples_test import EVENTS

PAGES = sorted(path for folder in ("config", "daemon", "hooks") for path in (ROOT / folder).rglob("*.[1-8]"))
HOOKS = (ROOT / "hooks/hooksmtpd-hooks.7").read_text()


@pytest.mark.parametrize("page", PAGES, ids=[page.name for page in PAGES])
def test_a_page_is_well_formed(page):
    done = subprocess.run(["mandoc", "-Tlint", "-Wwarning", page], capture_output=True, text=True)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


@pytest.mark.parametrize("page", PAGES, ids=[page.name for page in PAGES])
def test_a_page_is_installed_and_names_pages_that_exist(page):
    assert f"install_man('{page.name}')" in (page.parent / "meson.build").read_text()
    ours = {found.name for found in PAGES}
    for name, section in re.findall(r"^\.Xr (hooksmtp\S+) (\d)", page.read_text(), re.MULTILINE):
        assert f"{name}.{section}" in ours


def items(heading: str) -> list[str]:
    part = re.search(rf"^\.Ss {heading}\n(.*?)(?=^\.S[sh] )", HOOKS, re.MULTILINE | re.DOTALL)[1]
    return re.findall(r"^\.It Ql (\w+)", part, re.MULTILINE)


def test_hooksmtpd_hooks_has_every_event_and_every_key_of_a_reply():
    assert tuple(items("Events")) == EVENTS
    section = re.search(r"^## Replies\n(.*?)^\| event \|", Document("proto/hook/PROTOCOL.md").text, re.MULTILINE | re.DOTALL)[1]
    keys = [key for row in re.findall(r"^\| (`.*?) \|", section, re.MULTILINE) for key in re.findall(r"`(\w+)`", row)]
    assert items("Replies") == keys


def test_hooksmtpd_hooks_shows_the_example():
    example = (ROOT / "hooks/shell/blocklist.sh").read_text()
    shown = re.search(r"^#!/bin/sh\n.*?^done\n", HOOKS, re.MULTILINE | re.DOTALL)[0]
    assert shown.split() == example.split()
