"""proto/smtp/CONFORMANCE.md knows every paragraph that the code cites, and names nothing that is not there."""

import pathlib
import re

ROOT = pathlib.Path(__file__).parents[2]
TEXT = (ROOT / "proto/smtp/CONFORMANCE.md").read_text()
ROWS = [[cell.strip() for cell in line.strip("|").split("|")] for line in TEXT.splitlines()
        if re.match(r"\| \d", line)]


def test_every_cited_paragraph_is_there():
    known = {number for row in ROWS for number in re.findall(r"\d+(?:\.\d+)*", row[0])}
    known |= set(re.findall(r"§(\d+(?:\.\d+)*)", TEXT))  # of other RFCs
    missing = set()
    for path in [*(ROOT / "proto/smtp").iterdir(), *(ROOT / "proto/mail").iterdir()]:
        if path.suffix not in (".h", ".cc"):
            continue
        for number in re.findall(r"§(\d+(?:\.\d+)*)", path.read_text()):
            # §4.5.3 stands for all below it.
            if not any(one == number or one.startswith(number + ".") for one in known):
                missing.add(f"{path.name}: §{number}")
    assert missing == set()


def test_every_named_test_and_file_exists():
    assert len(ROWS) > 40
    missing = []
    for row in ROWS:
        for name in re.findall(r"`([^`]+)`", row[4] if len(row) > 4 else ""):
            transcript = ROOT / "tests/transcripts" / f"{name}.transcript"
            if not (transcript.exists() or (ROOT / "tests" / name).exists()):
                missing.append(name)
        for name in re.findall(r"`([^`]+\.(?:cc|h))`", row[3] if len(row) > 4 else ""):
            if not any((ROOT / folder / name).exists() for folder in ("", "proto/smtp")):
                missing.append(name)
    assert missing == []


def test_the_same_for_the_mechanisms_of_auth():
    folder = ROOT / "proto/sasl"
    rows = [[cell.strip() for cell in line.strip("|").split("|")]
            for line in (folder / "CONFORMANCE.md").read_text().splitlines() if re.match(r"\| \d", line)]
    assert len(rows) > 15
    known = {number for row in rows for number in re.findall(r"\d+(?:\.\d+)*", row[1])}
    cited = {number for path in folder.iterdir() if path.suffix in (".h", ".cc")
             for number in re.findall(r"§(\d+(?:\.\d+)*)", path.read_text())}
    assert cited - known == set()
    wrong = [name for row in rows for name in re.findall(r"`([^`]+)`", row[4]) if not (folder / name).exists()]
    wrong += [name for row in rows for name in re.findall(r"`([^`]+)`", row[5]) if not (ROOT / "tests" / name).exists()]
    assert wrong == []
