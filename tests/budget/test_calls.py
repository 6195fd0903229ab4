# SPDX-License-Identifier: Apache-2.0
"""The budget of a READ and of a WRITE, counted in the daemon's event loops (count.c): no memory allocation, no
lock, and no work given to another thread, in hundreds of commands, one at a time and sixteen at a time."""
import contextlib
import os
import struct
import tempfile
import unittest

import cdb
import fast_path
from daemon import Daemon
from fast_path import READ, WRITE

COUNTER = os.environ["TCMUR_COUNTER"]
KINDS = ("allocations", "frees", "mappings", "locks", "hand-offs")
ROW = struct.Struct(f"={1 + len(KINDS)}Q")
ROUNDS = {1: 400, 16: 40}
NOTHING = dict.fromkeys(KINDS, 0)
# Every ten seconds the loop's timer returns unused buffers to the system, which may disturb one try. The cost of a
# command appears in all tries.
TRIES = 3


class Calls(unittest.TestCase):
    def setUp(self):
        self.counts = tempfile.NamedTemporaryFile()
        self.addCleanup(self.counts.close)

    def count(self, daemon):
        """Returns the counts of the event loops so far."""
        loops, total = fast_path.loop_threads(daemon.process.pid), [0] * len(KINDS)
        self.assertTrue(loops)
        with open(self.counts.name, "rb") as rows:
            for tid, *counts in ROW.iter_unpack(rows.read()):
                if tid in loops:
                    total = [a + b for a, b in zip(total, counts)]
        return total

    def since(self, daemon, before):
        return {kind: after - b for kind, after, b in zip(KINDS, self.count(daemon), before)}

    def measure(self, daemon, session, what, depth):
        before = self.count(daemon)
        fast_path.run(session, what, depth, ROUNDS[depth])
        spent = self.since(daemon, before)
        print(f"{what} x{ROUNDS[depth] * depth} at depth {depth}:",
              ", ".join(f"{n} {kind}" for kind, n in spent.items()))
        return spent

    @contextlib.contextmanager
    def serving(self, export, **options):
        """Starts the daemon with one loop and the counting library, and opens a session that has received its unit
        attention."""
        env = {"LD_PRELOAD": COUNTER, "TCMUR_COUNTS": self.counts.name}
        with Daemon("--export", f"{export},size=4M,name=a", "--threads", "1", env=env) as daemon, \
                daemon.session("a", **options) as session:
            session.execute(cdb.TEST_UNIT_READY)
            yield daemon, session

    def check(self, export, cases=(READ, WRITE), **options):
        print(f"{export}:")
        with self.serving(export, **options) as (daemon, session):
            for depth in ROUNDS:
                fast_path.run(session, WRITE, depth, fast_path.PLACES)
                for what in cases:
                    with self.subTest(what=what, depth=depth):
                        fast_path.run(session, what, depth, fast_path.PLACES)
                        tries = (self.measure(daemon, session, what, depth) for _ in range(TRIES))
                        self.assertTrue(any(spent == NOTHING for spent in tries))

    def test_counter(self):
        """The library counts what commands off the fast path do: a ping allocates memory for a message, and a COMPARE
        AND WRITE takes a lock."""
        with self.serving("alloc/a") as (daemon, session):
            before = self.count(daemon)
            for _ in range(10):
                session.ping()
                session.good(cdb.compare_and_write(0, 1), out=bytes(1024))
            spent = self.since(daemon, before)
        for kind in ("allocations", "frees", "locks"):
            self.assertGreaterEqual(spent[kind], 10, kind)

    def test_alloc(self):
        self.check("alloc/a")

    def test_digests(self):
        self.check("alloc/a", keys={"HeaderDigest": "CRC32C", "DataDigest": "CRC32C"})

    def test_solicited(self):
        """The data of this WRITE is requested by R2T."""
        self.check("alloc/a", keys={"InitialR2T": "Yes", "ImmediateData": "No"})

    def test_file_in_memory(self):
        with fast_path.folder("memory") as folder:
            self.check(f"file/{folder}/disk,create")

    def test_file_direct(self):
        with fast_path.folder("disk") as folder:
            if fast_path.is_tmpfs(folder):
                self.skipTest("there is no file system other than tmpfs")
            self.check(f"file/{folder}/disk,cache=none,create")

    def test_file_cached(self):
        """A WRITE into the page cache may block, so on most file systems it runs on the pool. This test therefore
        uses READs only."""
        with fast_path.folder("disk") as folder:
            self.check(f"file/{folder}/disk,create", (READ,))

    def test_null(self):
        self.check("null/a")


if __name__ == "__main__":
    unittest.main()
