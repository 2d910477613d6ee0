"""A document whose snippets are marked by a comment before each fence:

    <!-- cookbook: NAME: EVENT... -->    a whole hook, which handles these events
    <!-- configuration: NAME -->         the configuration of that hook; `<!-- configuration -->` of a ready-made one
    <!-- run: PATTERN -->                commands that need no daemon, and what their output has in it
    <!-- before: NAME -->                what somebody has who comes from another server
    <!-- a path of the repository -->    the file, as it stands there

and cases for a hook (hooksmtpctl(1), `hook test`) that nobody needs to see: `<!-- cases: NAME, NAME` and JSON lines up to
`-->`.
"""

import os
import pathlib
import re
from dataclasses import dataclass

ROOT = pathlib.Path(__file__).parents[2]
BUILD = pathlib.Path(os.environ.get("HOOKSMTPD_BUILD", ROOT / "build"))
FENCE = re.compile(r"^(?:<!-- ([^\n]+) -->\n)?```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
CASES = re.compile(r"^<!-- cases: (.+)\n((?:\{.*\}\n)+)-->$", re.MULTILINE)


@dataclass
class Snippet:
    kind: str  # "" if it has no mark
    name: str
    rest: str  # of the mark
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.kind} {self.name or self.rest}"

    def write(self, folder: pathlib.Path) -> pathlib.Path:
        folder.mkdir(exist_ok=True)
        path = folder / self.name
        path.write_text(self.text)
        path.chmod(0o755)
        return path


class Document:
    def __init__(self, path: str) -> None:
        self.text = (ROOT / path).read_text()
        self.snippets = [self._snippet(*found) for found in FENCE.findall(self.text)]
        self.cases: dict[str, str] = {}
        for names, lines in CASES.findall(self.text):
            self.cases.update(dict.fromkeys(names.split(", "), lines))

    @staticmethod
    def _snippet(mark: str, language: str, text: str) -> Snippet:
        kind, _, rest = mark.partition(": ")
        if kind == "run":
            return Snippet(kind, "", rest, language, text)
        if "/" in kind:
            return Snippet("file", kind, "", language, text)
        name, _, rest = rest.partition(": ")
        return Snippet(kind, name, rest, language, text)

    def of_kind(self, kind: str) -> list[Snippet]:
        return [snippet for snippet in self.snippets if snippet.kind == kind]
