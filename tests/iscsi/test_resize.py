# SPDX-License-Identifier: Apache-2.0
"""A backing store that changes its size under a LUN: noticed, and told to every initiator once."""
import os
import signal
import tempfile
import time
import unittest

import cdb
from daemon import Daemon

CAPACITY_CHANGED = (6, 0x2A, 0x09)
MIB = 1 << 20


def capacity(session):
    """Bytes, by READ CAPACITY (16)."""
    data = session.good(cdb.read_capacity16(), length=32)
    return (int.from_bytes(data[:8], "big") + 1) * int.from_bytes(data[8:12], "big")


def wait_attention(session, seconds):
    """The next unit attention, (0, 0, 0) when none comes."""
    deadline = time.monotonic() + seconds
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
                self.assertEqual(wait_attention(session, 10), CAPACITY_CHANGED)
                session.good(cdb.TEST_UNIT_READY)
                self.assertEqual(capacity(session), 8 * MIB)
            lba = 8 * MIB // 512 - 1
            one.good(cdb.write10(lba, 1), b"\xa5" * 512)
            self.assertEqual(two.good(cdb.read10(lba, 1), length=512), b"\xa5" * 512)

    def test_shrinking(self):
        with self.serve() as daemon, daemon.session("a") as session:
            session.execute(cdb.TEST_UNIT_READY)
            self.change(daemon, 2 * MIB)
            self.assertEqual(wait_attention(session, 10), CAPACITY_CHANGED)
            task = session.execute(cdb.read10(2 * MIB // 512, 1), length=512)
            self.assertEqual(task.key, cdb.OUT_OF_RANGE)

    def test_noticed_without_a_signal(self):
        with self.serve() as daemon, daemon.session("a") as session:
            session.execute(cdb.TEST_UNIT_READY)
            os.truncate(self.path, 6 * MIB)
            self.assertEqual(wait_attention(session, 15), CAPACITY_CHANGED)


unittest.main()
