# SPDX-License-Identifier: Apache-2.0
"""Compares this tree's daemon with another target. Runs iscsi_load on a LUN of each, alternately and in several rounds,
and prints the results and their ratio. iscsi.sh and before_after.sh call this program."""
import argparse
import re
import statistics
import subprocess

CASES = [(f"{word} sessions={sessions} qd={depth}", [*flags, "-s", str(sessions), "-d", str(depth), "-b", str(size)],
          quick)
         for word, flags, size, depths, quick in (
             ("randread 4k", ["-r"], 4096, (1, 32), True),
             ("randwrite 4k", ["-r", "-w"], 4096, (1, 32), True),
             ("read 128k", [], 131072, (8,), True),
             ("write 128k", ["-w"], 131072, (8,), False),
             ("read 1M", [], 1 << 20, (4,), False),
             ("write 1M", ["-w"], 1 << 20, (4,), False))
         for depth in depths for sessions in (1, 4)]


def measure(options, url, pid, flags, seconds):
    """Runs iscsi_load once and returns the numbers that it prints."""
    command = [*options.load.split(), *flags, "-t", str(seconds), "-p", str(pid), url]
    result = subprocess.run(command, capture_output=True, text=True, timeout=seconds * 5 + 30, check=False)
    if result.returncode:
        raise SystemExit(f"{url}: {result.stderr.strip()}")
    return {key: float(value) for key, value in (item.split("=") for item in result.stdout.split())}


def median(runs, key):
    return statistics.median(run[key] for run in runs)


def report(name, ours, theirs):
    ratios = [a["iops"] / b["iops"] for a, b in zip(ours, theirs)]
    # The commands per second of the server's CPU time, ours divided by theirs. cpu_us is the CPU time of one command.
    efficiency = [b["cpu_us"] / a["cpu_us"] for a, b in zip(ours, theirs)]
    print(f"{name:30} {median(ours, 'iops'):9.0f} {median(theirs, 'iops'):9.0f} "
          f"{statistics.median(ratios):6.2f} ({min(ratios):.2f}-{max(ratios):.2f})"
          f" {median(ours, 'p50_us'):8.0f}/{median(theirs, 'p50_us'):<8.0f}"
          f" {median(ours, 'p99_us'):8.0f}/{median(theirs, 'p99_us'):<8.0f}"
          f" {median(ours, 'cpu_us'):7.1f}/{median(theirs, 'cpu_us'):<7.1f}"
          f" {statistics.median(efficiency):6.2f} ({min(efficiency):.2f}-{max(efficiency):.2f})", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("--load", "--ours", "--theirs"):
        parser.add_argument(name, required=True)
    for name in ("--ours-pid", "--theirs-pid"):
        parser.add_argument(name, type=int, required=True)
    parser.add_argument("--peer", default="tgt", help="the name of the other side (%(default)s)")
    parser.add_argument("--quick", action="store_true", help="fewer cases, shorter")
    parser.add_argument("--case", default="", help="the cases that match this expression")
    parser.add_argument("--rounds", type=int)
    options = parser.parse_args()
    rounds, seconds = options.rounds or (3 if options.quick else 5), 1 if options.quick else 2
    print(f"{'case':30} {'IOPS ours':>9} {options.peer:>9} {'ratio':>6} {'(min-max)':11}"
          f" {'p50 us ours/' + options.peer:>17} {'p99 us ours/' + options.peer:>17} {'CPU us/command':>15}"
          f" {'IOPS per CPU s':>14}")
    for name, flags, quick in CASES:
        if not re.search(options.case, name) or (options.quick and not quick):
            continue
        ours, theirs = [], []
        # The side that runs first alternates, so that neither side always meets the warmer machine.
        for turn in range(rounds):
            sides = [(ours, options.ours, options.ours_pid), (theirs, options.theirs, options.theirs_pid)]
            for runs, url, pid in sides if turn % 2 == 0 else reversed(sides):
                runs.append(measure(options, url, pid, flags, seconds))
        report(name, ours, theirs)


if __name__ == "__main__":
    main()
