# SPDX-License-Identifier: Apache-2.0
"""The load of the budget tests: small READs and WRITEs that stay on the fast path, and the LUNs that they use."""
import contextlib
import os
import tempfile

import cdb

PLACES = 64  # The load uses this many places, and the warm-up has used all of them before.

READ, WRITE = "READ", "WRITE"


def start(session, what, serial, blocks):
    lba = serial % PLACES * blocks
    if what == READ:
        return session.start(cdb.read10(lba, blocks), length=blocks * 512)
    return session.start(cdb.write10(lba, blocks), out=bytes([serial & 255]) * 512 * blocks)


def run(session, what, depth, rounds, blocks=8):
    """Runs the command rounds times depth times. depth commands are sent at once, and all are answered before the
    next round."""
    for turn in range(rounds):
        with session.connection.corked():
            tasks = [start(session, what, turn * depth + i, blocks) for i in range(depth)]
        for task in tasks:
            assert session.finish(task).status == 0, f"{what}: {task.key}"


@contextlib.contextmanager
def folder(kind):
    """Returns a folder in memory, or one on a file system that is not in memory."""
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
    """Returns the thread IDs of the daemon's event loops."""
    found = []
    for tid in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{tid}/comm", encoding="ascii") as comm:
            if comm.read().startswith("loop"):
                found.append(int(tid))
    return found
