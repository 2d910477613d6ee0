"""Fixtures, a time limit for every test, and the closing line that tests/run adds up."""

import os
import pathlib
import signal
import tempfile

import pytest

from harness import hooks
from harness.certificates import Authority
from harness.daemon import PLAIN_USER, Daemon, copy_programs

LIMIT = 90  # seconds for one test; each wait inside has a shorter one of its own

# Who starts the tests in the background of a shell ignores Ctrl-C, and would hand that on to every program under test.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def time_limit():
    def late(*_):
        raise TimeoutError(f"the test took more than {LIMIT} s")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(LIMIT)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


def daemons():
    """Daemon(...), ended when the test (or the module's last test) is over."""
    made: list[Daemon] = []

    def make(config: str = "", **options) -> Daemon:
        made.append(Daemon(config, **options))
        return made[-1]

    make.made = made
    yield make
    for daemon in reversed(made):
        daemon.close()


make_daemon = pytest.fixture(daemons)
make_module_daemon = pytest.fixture(daemons, scope="module")


@pytest.fixture
def recorder(make_daemon) -> Daemon:
    """As root on port 25, with one hook that accepts and keeps every message."""
    daemon = make_daemon()
    daemon.hook("recorder", hooks.RECORDER)
    return daemon.start()


@pytest.fixture(scope="session")
def authority(tmp_path_factory) -> Authority:
    """What the tests' clients believe."""
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="session")
def programs():
    """The programs where every user can run them: a clone may stand below a folder of mode 0700."""
    with tempfile.TemporaryDirectory(prefix="hooksmtpd-test-programs-") as name:
        folder = pathlib.Path(name)
        folder.chmod(0o755)
        copy_programs(folder)
        yield folder


@pytest.fixture
def plain_daemon(make_daemon, programs):
    """Daemon(...) of a user without any privilege."""
    user = os.geteuid() or PLAIN_USER
    return lambda config="", **options: make_daemon(config, user=user, programs=programs, **options)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """A failed test shows the log of every daemon it made."""
    outcome = yield
    report = outcome.get_result()
    if report.when == "call" and report.failed:
        for name in ("make_daemon", "make_module_daemon"):
            for daemon in getattr(item.funcargs.get(name), "made", []):
                report.sections.append(("log of hooksmtpd", daemon.log.text[-20000:]))


def pytest_unconfigure(config):
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if not reporter:
        return
    count = {kind: len(reporter.stats.get(kind, [])) for kind in ("passed", "failed", "error", "skipped", "xfailed")}
    skipped, failed = count["skipped"] + count["xfailed"], count["failed"] + count["error"]
    if os.environ.get("CI") and os.geteuid() == 0:
        failed, skipped = failed + skipped, 0  # there, everything that a test may need is to be had
    print(f"{count['passed']} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
