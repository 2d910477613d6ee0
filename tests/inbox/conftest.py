import importlib.util
import pathlib

import pytest

spec = importlib.util.spec_from_file_location("inbox_program", pathlib.Path(__file__).parent / "inbox.py")
inbox_program = importlib.util.module_from_spec(spec)
spec.loader.exec_module(inbox_program)


@pytest.fixture
def start(tmp_path):
    """Starts the inbox, again and again, on the same state."""
    running = []

    def start_one(options=None, **more):
        running.append(inbox_program.Inbox(tmp_path, options, **more))
        return running[-1]

    yield start_one
    for inbox in running:
        inbox.stop()


@pytest.fixture
def inbox(start):
    return start()


@pytest.fixture
def message():
    return inbox_program.message
