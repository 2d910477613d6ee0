"""hooksmtpctl hook new: what it writes works, and nothing is written over."""

import json
import subprocess

import pytest

from hook_tools.tools import ROOT, report, run

SDKS = {"python": ("py", ["hooksmtpd.py"]), "node": ("js", ["hooksmtpd.d.ts", "hooksmtpd.js"]), "shell": ("sh", ["hooksmtpd.sh"])}


@pytest.mark.parametrize("language", SDKS)
def test_a_new_hook_passes_its_cases_and_everything_else(tmp_path, language):
    extension, sdk = SDKS[language]
    text = run("new", "--lang", language, "policy", cwd=tmp_path).stdout
    folder = tmp_path / "policy"
    program = folder / f"policy.{extension}"
    assert sorted(path.name for path in folder.iterdir()) == sorted(["cases.jsonl", program.name, *sdk])
    assert f'command = ["{program}"]' in text and f"hook test --cases policy/cases.jsonl policy/policy.{extension}" in text
    assert "@NAME@" not in program.read_text() + (folder / "cases.jsonl").read_text()
    found = report("--cases", folder / "cases.jsonl", program)
    assert found["ok"] and len(found["cases"]) == 6 and found["hello"]["name"].startswith("policy")
    assert report(program)["ok"], "any request of the protocol"


def test_it_works_without_the_sdk_of_the_daemon(tmp_path):
    run("new", "--lang", "python", "policy", tmp_path)
    done = subprocess.run([tmp_path / "policy.py"], input=b'{"v":1,"id":1,"event":"hello","options":{}}\n',
                          capture_output=True, env={"PATH": "/usr/bin:/bin"}, timeout=20)
    assert json.loads(done.stdout)["name"] == "policy", done.stderr


def test_nothing_is_written_over(tmp_path):
    run("new", "--lang", "sh", "policy", tmp_path)
    (tmp_path / "policy.sh").write_text("mine")
    assert "is there already" in run("new", "--lang", "sh", "policy", tmp_path, status=73).stderr
    assert (tmp_path / "policy.sh").read_text() == "mine"


def test_a_name_that_is_none(tmp_path):
    for name in ("Policy", "../x", "", "a b", "1", "a_b"):
        run("new", "--lang", "sh", name, tmp_path, status=64)
    run("new", "--lang", "cobol", "policy", tmp_path, status=64)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("language", SDKS)
def test_a_skeleton_is_short_enough_to_read(language):
    assert len((ROOT / "daemon/ctl/hook/skeletons" / language).read_text().splitlines()) < 60
