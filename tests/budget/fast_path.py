# SPDX-License-Identifier: Apache-2.0
"""The load of the budget tests: small READs and WRITEs that keep to the fast path, and the LUNs they go to."""
import contextlib
import os
import tempfile

import cdb

PLACES = 64  # the load walks over so many places, all of which the warm-up has touched

READ, WRITE = "READ", "WRITE"


def start(session, what, serial, blocks):
    lba = serial % PLACES * blocks
    if what == READ:
        return session.start(cdb.read10(lba, blocks), length=blocks * 512)
    return session.start(cdb.write10(lba, blocks), out=bytes([serial & 255]) * 512 * blocks)


def run(session, what, depth, rounds, blocks=8):
    """rounds times depth commands, each time sent at once and answered before the next."""
    for turn in range(rounds):
        with session.connection.corked():
            tasks = [start(session, what, turn * depth + i, blocks) for i in range(depth)]
        for task in tasks:
            assert session.finish(task).status == 0, f"{what}: {task.key}"


@contextlib.contextmanager
def folder(kind):
    """A folder in memory, or on a file system that is not."""
    memory = "/dev/shm" if os.path.isdir("/dev/shm") else None
    with tempfile.TemporaryDirectory(dir=memory if kind == "memory" else os.getcwd()) as path:
        yield path


def is_tmpfs(path):
    best = ("", "")
    with open("/proc/mounts", encoding="ascii", errors="replace") as mounts:
        for line in mounts:
            _, point, kind, *_ = line.split()
            if os.path.realpath(path).startswith(point) and len(point) >= len(best[0]):
                best = (point, kind)
    return best[1] == "tmpfs"


def loop_threads(pid):
    """Thread ids of the daemon's event loops."""
    found = []
    for tid in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{tid}/comm", encoding="ascii") as comm:
            if comm.read().startswith("loop"):
                found.append(int(tid))
    return found
