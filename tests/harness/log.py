"""What a process prints, kept whole, and waited for."""

import os
import re
import threading
import time


class Log:
    def __init__(self) -> None:
        self.reading, self.writing = os.pipe()
        self.text = ""
        self.ended = False
        self.news = threading.Condition()
        self.begin()

    def begin(self) -> None:
        threading.Thread(target=self.follow, args=(self.reading,), daemon=True).start()

    def follow(self, reading: int) -> None:
        with os.fdopen(reading, "rb", buffering=0) as file:
            while piece := file.read(65536):
                with self.news:
                    self.text += piece.decode(errors="replace")
                    self.news.notify_all()
        with self.news:
            self.ended = True
            self.news.notify_all()

    def close_writing(self) -> None:
        """Our own copy of the end that others write to: call it once they have theirs."""
        os.close(self.writing)

    def mark(self) -> int:
        """A place to wait from."""
        return len(self.text)

    def wait(self, pattern: str, since: int = 0, seconds: float = 20) -> re.Match:
        """The first line from `since` on that `pattern` is found in."""
        end = time.monotonic() + seconds
        with self.news:
            while True:
                if match := re.search(pattern, self.text[since:], re.MULTILINE):
                    return match
                if self.ended or not self.news.wait(end - time.monotonic()):
                    why = "it ended" if self.ended else f"{seconds} s are over"
                    raise AssertionError(f"{why} and no line matched {pattern!r} in:\n{self.text[since:]}")

    def lines(self, pattern: str, since: int = 0) -> list[str]:
        return [line for line in self.text[since:].splitlines() if re.search(pattern, line)]


class UnreadLog(Log):
    """A pipe that fills up: nobody reads before begin() is called."""

    def begin(self) -> None:
        self.begin = super().begin
