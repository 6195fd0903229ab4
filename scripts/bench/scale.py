#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures what a nearly idle daemon costs: memory and CPU time with ten idle LUNs, the memory of each of a
thousand idle sessions, and the time of a thousand logins. TCMU_RUNNER is the path of the daemon,
TCMU_RUNNER_HANDLERS the folder of its handlers. The exit status is 1 if a number is above its limit."""
import os
import resource
import struct
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "..", "tests", "iscsi"))

import iscsi_pdu as p  # noqa: E402  (found through the path above)
from daemon import IQN, Daemon  # noqa: E402
from initiator import Connection  # noqa: E402

SESSIONS = 1000
# The number of logins at the same time. It is below the daemon's limit of connections that have not logged in yet.
BATCH = 64


def resident(pid):
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith("Rss:"))


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def login_pdu(number, target):
    keys = p.encode_keys({"InitiatorName": f"iqn.2026-11.test:{number}", "TargetName": target,
                          "SessionType": "Normal"})
    return p.login(keys, p.FINAL | 1 << 2 | 3, struct.pack(">BHBH", 0x80, 0, 0, number)).encode()


def log_in(daemon, target):
    """Opens a thousand sessions, BATCH at a time, and returns (connections, seconds)."""
    requests = [login_pdu(number, target) for number in range(SESSIONS)]
    connections, begin = [], time.monotonic()
    for first in range(0, SESSIONS, BATCH):
        batch = [Connection(daemon.address) for _ in requests[first:first + BATCH]]
        for connection, request in zip(batch, requests[first:]):
            connection.send_bytes(request)
        for connection in batch:
            reply = connection.recv()
            assert reply.opcode == p.LOGIN_RESPONSE and reply.final and not reply.bhs[36], reply
        connections += batch
    return connections, time.monotonic() - begin


class Numbers:
    """Prints each measured number with its limit."""

    def __init__(self):
        self.over = False

    def add(self, what, value, limit, unit):
        self.over |= value > limit
        print(f"{what}: {value:.2f} {unit} (limit {limit}){' OVER' if value > limit else ''}")


def main():
    numbers = Numbers()
    resource.setrlimit(resource.RLIMIT_NOFILE, (4096, max(4096, resource.getrlimit(resource.RLIMIT_NOFILE)[1])))
    exports = [arg for n in range(10) for arg in ("--export", f"alloc/lun{n},size=64M,name=scale,lun={n}")]
    with Daemon(*exports) as daemon:
        pid = daemon.process.pid
        time.sleep(1)
        before_cpu, idle = cpu_seconds(pid), resident(pid)
        time.sleep(5)
        numbers.add("ten idle LUNs, memory", idle / 2**20, 20, "MiB")
        numbers.add("ten idle LUNs, CPU", (cpu_seconds(pid) - before_cpu) / 5 * 100, 0.4, "%")
        connections, seconds = log_in(daemon, IQN + "scale")
        time.sleep(0.5)
        numbers.add(f"{SESSIONS} logins", seconds, 1, "s")
        numbers.add("an idle session, memory", (resident(pid) - idle) / SESSIONS / 1024, 16, "KiB")
        for connection in connections:
            connection.close()
    return 1 if numbers.over else 0


if __name__ == "__main__":
    sys.exit(main())
