"""Runs the test programs that Meson knows and the pytest files, and adds up their last lines. Called by tests/run."""

import argparse
import json
import os
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

TESTS = os.path.dirname(os.path.abspath(__file__))
LAST_LINE = re.compile(r"^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$", re.MULTILINE)


@dataclass
class Result:
    name: str
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    output: str = ""
    seconds: float = 0.0


def judge(name: str, status: int, output: str) -> Result:
    """A program without a last line of its own is one test; one that failed without saying so has failed once."""
    lines = LAST_LINE.findall(output)
    if lines:
        passed, failed, skipped = (int(number or 0) for number in lines[-1])
    else:
        passed, failed, skipped = int(status == 0), 0, int(status == 77)
    if status not in (0, 77) and failed == 0:
        failed = 1
    return Result(name, passed, failed, skipped, output)


def run_program(folder: str, test: dict, patience: float) -> Result:
    """One test() of a meson.build."""
    name = f"{os.path.basename(folder)}: {test['name']}"
    environment = {**os.environ, **test["env"], "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1"}
    begin = time.monotonic()
    try:
        done = subprocess.run(test["cmd"], cwd=test["workdir"] or folder, env=environment, text=True, errors="replace",
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              timeout=test["timeout"] * patience)
        result = judge(name, done.returncode, done.stdout)
        if done.returncode not in (0, 1, 77):
            result.output += f"\nended with {done.returncode}\n"
    except subprocess.TimeoutExpired as late:
        result = Result(name, failed=1, output=f"{(late.stdout or b'').decode(errors='replace')}\nno end in sight: killed\n")
    result.seconds = time.monotonic() - begin
    return result


def run_programs(folder: str, patience: float) -> list[Result]:
    listing = subprocess.run(["meson", "introspect", "--tests", folder], check=True, capture_output=True, text=True)
    tests = json.loads(listing.stdout)
    parallel = [test for test in tests if test["is_parallel"]]
    alone = [test for test in tests if not test["is_parallel"]]
    results = []
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for result in pool.map(lambda test: run_program(folder, test, patience), parallel):
            results.append(show(result))
    for test in alone:
        results.append(show(run_program(folder, test, patience)))
    return results


def show(result: Result) -> Result:
    if result.failed:
        print(f"--- {result.name} ---\n{result.output.rstrip()}\n---", flush=True)
    print(f"{result.name}: {result.passed} passed, {result.failed} failed ({result.seconds:.1f} s)", flush=True)
    return result


def run_pytest(folder: str, arguments: list[str]) -> Result:
    """Its output goes out as it comes; what we need of it is read along the way."""
    environment = {**os.environ, "HOOKSMTPD_BUILD": folder, "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", "pytest", "-c", os.path.join(TESTS, "pytest.ini"), *(arguments or [TESTS])]
    begin = time.monotonic()
    process = subprocess.Popen(command, cwd=TESTS, env=environment, text=True, errors="replace", stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    output = ""
    for line in process.stdout:
        output += line
        if not LAST_LINE.match(line):
            print(line, end="", flush=True)
    result = judge("pytest", process.wait(), output)
    result.seconds = time.monotonic() - begin
    print(f"pytest: {result.passed} passed, {result.failed} failed ({result.seconds:.1f} s)", flush=True)
    return result


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("release", help="build folder")
    parser.add_argument("--sanitized", help="build folder with sanitizers")
    parser.add_argument("--pytest", nargs=argparse.REMAINDER, help="run only pytest, with these arguments")
    arguments = parser.parse_args()
    results = []
    if arguments.pytest is None:
        results += run_programs(arguments.release, patience=1)
        if arguments.sanitized:
            results += run_programs(arguments.sanitized, patience=5)
    results.append(run_pytest(arguments.release, arguments.pytest or []))

    failures = re.findall(r"^(?:FAILED|ERROR) (\S+)", results[-1].output, re.MULTILINE)
    names = [result.name for result in results[:-1] if result.failed] + failures
    print("".join(f"failed: {name}\n" for name in names), end="")
    passed, failed, skipped = (sum(getattr(result, key) for result in results) for key in ("passed", "failed", "skipped"))
    print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
