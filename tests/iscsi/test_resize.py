# SPDX-License-Identifier: Apache-2.0
"""Storage changes its size while a LUN uses it. The daemon notices this, and reports it to each initiator once."""
import os
import signal
import tempfile
import time
import unittest

import cdb
from daemon import Daemon, wait_until
from initiator import PATIENCE

CAPACITY_CHANGED = (6, 0x2A, 0x09)
MEDIUM_ERROR = (3, 0x11, 0x00)
MIB = 1 << 20


def capacity(session):
    """Returns the size in bytes, from READ CAPACITY (16)."""
    data = session.good(cdb.read_capacity16(), length=32)
    return (int.from_bytes(data[:8], "big") + 1) * int.from_bytes(data[8:12], "big")


def information(task):
    """Returns INFORMATION of fixed format sense data (SPC-4 4.5.3)."""
    assert task.sense[0] == 0xF0, task.sense
    return int.from_bytes(task.sense[3:7], "big")


def wait_attention(session):
    """Returns the next unit attention, or (0, 0, 0) if there is none."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        task = session.execute(cdb.TEST_UNIT_READY)
        if task.status == cdb.CHECK_CONDITION:
            return task.key
        time.sleep(0.05)
    return 0, 0, 0


class Resize(unittest.TestCase):
    def setUp(self):
        with tempfile.NamedTemporaryFile(prefix="tcmur-resize-", delete=False) as file:
            file.truncate(4 * MIB)
        self.path = file.name
        self.addCleanup(os.unlink, self.path)

    def serve(self):
        return Daemon("--export", f"file/{self.path},name=a")

    def change(self, daemon, size):
        os.truncate(self.path, size)
        daemon.process.send_signal(signal.SIGHUP)

    def test_growth(self):
        with self.serve() as daemon, daemon.session("a") as one, daemon.session("a") as two:
            for session in (one, two):
                session.execute(cdb.TEST_UNIT_READY)
                self.assertEqual(capacity(session), 4 * MIB)
            self.change(daemon, 8 * MIB)
            for session in (one, two):
                self.assertEqual(wait_attention(session), CAPACITY_CHANGED)
                session.good(cdb.TEST_UNIT_READY)
                self.assertEqual(capacity(session), 8 * MIB)
            lba = 8 * MIB // 512 - 1
            one.good(cdb.write10(lba, 1), b"\xa5" * 512)
            self.assertEqual(two.good(cdb.read10(lba, 1), length=512), b"\xa5" * 512)

    def test_shortened_and_restored(self):
        """The unit keeps its size. I/O for the missing blocks fails until the file has its old size again."""
        with self.serve() as daemon, daemon.session("a") as session:
            session.execute(cdb.TEST_UNIT_READY)
            self.change(daemon, 2 * MIB)
            first_bad = 2 * MIB // 512
            for command, out, length in ((cdb.read10(first_bad - 4, 8), b"", 8 * 512),
                                         (cdb.write10(first_bad - 4, 8), bytes(8 * 512), None)):
                task = session.execute(command, out, length=length)
                self.assertEqual(task.key, MEDIUM_ERROR)
                self.assertEqual(information(task), first_bad)
            self.assertEqual(os.path.getsize(self.path), 2 * MIB)
            session.good(cdb.read10(first_bad - 1, 1), length=512)
            self.assertEqual(capacity(session), 4 * MIB)
            os.truncate(self.path, 4 * MIB)
            session.good(cdb.write10(first_bad, 1), bytes(512))
            warnings = [line for line in daemon.output().splitlines() if "has been shortened to" in line]
            self.assertEqual(len(warnings), 1, warnings)
            for part in (self.path, str(2 * MIB), str(4 * MIB)):
                self.assertIn(part, warnings[0])

    def test_replaced(self):
        with self.serve() as daemon, daemon.session("a") as session:
            session.execute(cdb.TEST_UNIT_READY)
            with open(self.path + ".new", "wb") as new:
                new.truncate(4 * MIB)
            os.rename(self.path + ".new", self.path)
            daemon.process.send_signal(signal.SIGHUP)
            wait_until(lambda: "has been replaced" in daemon.output(), daemon.output)
            session.good(cdb.read10(0, 1), length=512)

    def test_noticed_without_a_signal(self):
        with self.serve() as daemon, daemon.session("a") as session:
            session.execute(cdb.TEST_UNIT_READY)
            os.truncate(self.path, 6 * MIB)
            self.assertEqual(wait_attention(session), CAPACITY_CHANGED)


unittest.main()
