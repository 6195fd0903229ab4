#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs each of libiscsi's conformance tests (iscsi-test-cu) that libiscsi.tsv lists, and compares the result with
the table. Each test has a process and a daemon of its own. So what one test leaves behind, such as reservations,
does not disturb the next one, and a leak or a crash can be attributed to its test."""
import argparse
import concurrent.futures
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "iscsi"))

from daemon import IQN, Daemon  # noqa: E402  (found through the path above)

TOOL = "iscsi-test-cu"
LIMIT = 180  # In seconds. Some tests wait for ever when they fail.


def read_table(path):
    """Reads the rows of the table: test, expectation, set-up and reason, separated by tabs. "broken" means that the
    test itself is wrong and fails."""
    rows = {}
    with open(path, encoding="utf-8") as table:
        for line in table:
            if line.strip() and not line.startswith("#"):
                test, expected, setup, reason = (line.rstrip("\n").split("\t") + ["", ""])[:4]
                assert test not in rows and expected in ("pass", "skip", "broken"), line
                assert expected == "pass" or reason, f"no reason: {line}"
                rows[test] = expected, setup, reason
    return rows


def listed_by_tool():
    """Returns the names of the tests as SUITE.TEST. The tool prints them under ALL, and again under other families, which
    are ignored."""
    listing = subprocess.run([TOOL, "--list"], capture_output=True, text=True, check=True).stdout
    return {name[4:] for name in listing.split() if name.startswith("ALL.") and name.count(".") == 2}


def is_version_of(path):
    """Tells whether the installed libiscsi has the version in the table's head. Without dpkg, the answer is no."""
    with open(path, encoding="utf-8") as table:
        version = re.search(r"^# libiscsi ([0-9.]+):", table.read(), re.MULTILINE)[1]
    try:
        installed = subprocess.run(["dpkg-query", "-W", "-f", "${Version}", "libiscsi-bin"],
                                   capture_output=True, text=True, check=False).stdout
    except FileNotFoundError:
        return False
    return installed.startswith(version + ".")


def common_rows(rows, listed, exact):
    """Returns the rows whose tests this libiscsi has, or None if the table is wrong. Another version may have other
    tests, and may have corrected a test that was broken."""
    missing, new = sorted(set(rows) - listed), sorted(listed - set(rows))
    if missing:
        print(f"Tests that this libiscsi does not have: {' '.join(missing)}")
    if new:
        print(f"Tests without a row, which are not run: {' '.join(new)}")
    if (exact and (missing or new)) or len(missing) > len(rows) // 2:
        return None
    return {test: row for test, row in rows.items() if test in listed}


def verdict(test, code, output):
    """Finds out from the output of CUnit whether the test has passed, failed, or been skipped."""
    # Before each test, the tool looks for reservations that were left behind, and reports them.
    if not test.startswith(("Prin", "Prout")):
        output = output.replace("[SKIPPED] PERSISTENT RESERVE IN is not implemented.", "")
    summary = re.search(r"^\s*tests\s+(\d+)\s+(\d+)\s+(\d+)\s+(\d+)", output, re.MULTILINE)
    if code or not summary or summary[4] != "0" or summary[2] != "1":
        return "fail"
    return "skip" if "[SKIPPED]" in output else "pass"


def run_test(test, setup):
    """Returns (verdict, output, seconds). set-up is "ro" for a read-only LUN, "two" for a second session with the
    LUN, or "file" for a file, whose physical blocks are larger than its logical blocks."""
    begin, folder = time.monotonic(), tempfile.TemporaryDirectory(prefix="tcmur-")
    export = f"file/{folder.name}/disk,create,block_size=512" if setup == "file" else "alloc/disk"
    try:
        daemon = Daemon("--export", export + ",size=100M,name=disk" + (",ro" if setup == "ro" else ""))
        url = f"iscsi://{daemon.address[0]}:{daemon.address[1]}/{IQN}disk/0"
        result = subprocess.run([TOOL, "--dataloss", "--fail", "--normal", f"--test=ALL.{test}", url] +
                                ([url] if setup == "two" else []),
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                timeout=LIMIT, check=False)
        output = result.stdout.decode(errors="replace")
        found = verdict(test, result.returncode, output)
        daemon.stop()
    except subprocess.TimeoutExpired as error:
        output, found = (error.stdout or b"").decode(errors="replace") + f"\nno end within {LIMIT} s", "fail"
        daemon.kill()
    except AssertionError as error:  # The daemon has not started, or has not ended cleanly.
        output, found = str(error), "fail"
    finally:
        folder.cleanup()
    return found, output, time.monotonic() - begin


def explain(output):
    """Returns the lines of a failure that are relevant."""
    lines = [line.rstrip() for line in output.splitlines() if line.strip() and "CUnit" not in line]
    keep = [line for line in lines if re.search(r"FAILED|SKIPPED|ERROR|Sanitizer|daemon|no end|\.c:\d+", line)]
    return "\n".join("    " + line.strip() for line in (keep or lines)[:12])


def run_all(rows, jobs):
    """Yields (test, verdict, output, seconds) for each test as it ends."""
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        running = {pool.submit(run_test, test, setup): test for test, (_, setup, _) in rows.items()}
        for future in concurrent.futures.as_completed(running):
            yield running[future], *future.result()


def compare(rows, jobs, exact):
    counts, unexpected = {"pass": 0, "skip": 0, "fail": 0}, 0
    for test, found, output, seconds in run_all(rows, jobs):
        expected, _, reason = rows[test]
        counts[found] += 1
        allowed = [expected] if expected != "broken" else ["fail"] if exact else ["fail", "pass"]
        if found not in allowed:
            unexpected += 1
            print(f"{test}: {found}, expected {expected}{f' ({reason})' if reason else ''}, {seconds:.1f} s")
            print(explain(output), flush=True)
    print(f"{sum(counts.values())} tests: " + ", ".join(f"{n} {word}" for word, n in counts.items()) +
          f"; {unexpected} not as the table says")
    return unexpected


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--table", default=os.path.join(HERE, "libiscsi.tsv"))
    parser.add_argument("--only", default="", help="run the tests that match this expression")
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    if not shutil.which(TOOL):
        print(f"SKIP: {TOOL} is not installed (package libiscsi-bin)")
        return 77
    exact = is_version_of(options.table)
    rows = common_rows(read_table(options.table), listed_by_tool(), exact)
    if rows is None:
        print(f"{options.table} does not list the tests of {TOOL}")
        return 1
    return 1 if compare({test: row for test, row in rows.items() if re.search(options.only, test)},
                        options.jobs, exact) else 0


if __name__ == "__main__":
    sys.exit(main())
