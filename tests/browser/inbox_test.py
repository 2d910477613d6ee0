"""The inbox's page in Chromium, with mail that came by SMTP: each file of tests has a daemon and a browser of its own."""

import pytest


@pytest.mark.parametrize("file", ["list", "message", "keyboard", "hostile", "hostile_html"])
def test_in_chromium(chromium, file):
    done = chromium(f"{file}.test.js")
    assert done.returncode == 0 and "# fail 0" in done.stdout and "# pass 0" not in done.stdout, done.stdout + done.stderr
