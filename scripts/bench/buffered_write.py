#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares buffered writes to one file through the iSCSI front end with fio's io_uring engine on the same file.

Build the preset release first, and install fio. The folder should be on ext4 or another file system on a disk. In each
round, fio and the daemon run one after the other. The script prints the ratio of each round, and the medians. Start it
through loopback.sh, so that the network behaves in the same way on every machine."""
import argparse
import json
import os
import pathlib
import re
import socket
import statistics
import subprocess
import tempfile
import time

TREE = pathlib.Path(__file__).resolve().parents[2]
TARGET = "iqn.2026-11.io.tcmu-runner:bench"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_listening(port):
    for _ in range(100):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise SystemExit("the daemon does not listen; its messages are above")


def run_fio(options, path):
    """Returns the commands per second and the 99th percentile of the latency in microseconds."""
    command = ["fio", "--name=x", f"--filename={path}", "--rw=write", f"--bs={options.bytes}",
               f"--iodepth={options.depth}", "--ioengine=io_uring", "--direct=0", "--time_based",
               f"--runtime={options.seconds}", "--ramp_time=0.3", f"--size={options.size}M", "--fadvise_hint=0",
               "--output-format=json"]
    result = subprocess.run(command, check=True, capture_output=True, text=True)
    write = json.loads(result.stdout)["jobs"][0]["write"]
    return write["iops"], write["clat_ns"]["percentile"]["99.000000"] / 1000


def run_daemon(options, path):
    port = free_port()
    build = TREE / "build" / "release"
    with tempfile.TemporaryDirectory() as run_dir:
        daemon = subprocess.Popen([build / "runner" / "tcmu-runner", "--handler-path", build / "handlers",
                                   "--portal", f"127.0.0.1:{port}", "--run-dir", run_dir,
                                   "--state-dir", run_dir, "--iqn", TARGET, "--export", f"file/{path}"],
                                  stderr=None if options.verbose else subprocess.DEVNULL)
        try:
            wait_listening(port)
            load = [build / "scripts" / "iscsi_load", *([] if options.libiscsi else ["-R"]), "-w", "-d",
                    str(options.depth), "-b", str(options.bytes), "-t", str(options.seconds), "-p", str(daemon.pid),
                    f"iscsi://127.0.0.1:{port}/{TARGET}/0"]
            result = subprocess.run(load, check=True, capture_output=True, text=True)
        finally:
            daemon.terminate()
            daemon.wait()
    numbers = dict(re.findall(r"(\w+)=([0-9.]+)", result.stdout))
    return tuple(float(numbers[key]) for key in ("iops", "p99_us", "cpu_us"))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", default=str(TREE / "build"), help="the folder of the file (%(default)s)")
    parser.add_argument("--size", type=int, default=256, help="the size of the file in MiB (%(default)s)")
    parser.add_argument("--bytes", type=int, default=131072, help="the size of a write in bytes (%(default)s)")
    parser.add_argument("--depth", type=int, default=8, help="the number of writes in flight (%(default)s)")
    parser.add_argument("--rounds", type=int, default=5, help="the number of rounds (%(default)s)")
    parser.add_argument("--seconds", type=int, default=2, help="the duration of each run (%(default)s)")
    parser.add_argument("--libiscsi", action="store_true",
                        help="use libiscsi as the initiator, which copies data, instead of the one of iscsi_load")
    parser.add_argument("--verbose", action="store_true", help="show the daemon's messages")
    options = parser.parse_args()
    with tempfile.NamedTemporaryFile(dir=options.folder, prefix="bench.") as disk:
        chunk = bytes(1 << 20)
        for _ in range(options.size):
            disk.write(chunk)
        disk.flush()
        os.fsync(disk.fileno())
        rounds = []
        for turn in range(options.rounds):
            sides = [run_fio, run_daemon] if turn % 2 == 0 else [run_daemon, run_fio]
            results = {side: side(options, disk.name) for side in sides}
            rounds.append((results[run_fio], results[run_daemon]))
            (fio, fio_p99), (ours, p99, cpu) = rounds[-1]
            print(f"round {turn + 1}: fio {fio:8.0f}/s p99 {fio_p99:7.0f} us, daemon {ours:8.0f}/s p99 {p99:7.0f} us, "
                  f"{cpu:.1f} us of CPU per command, ratio {ours / fio:.2f}", flush=True)
    print(f"median: fio {statistics.median(f[0] for f, _ in rounds):.0f}/s, "
          f"daemon {statistics.median(d[0] for _, d in rounds):.0f}/s, "
          f"ratio {statistics.median(d[0] / f[0] for f, d in rounds):.2f}")


if __name__ == "__main__":
    main()
