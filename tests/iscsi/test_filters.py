# SPDX-License-Identifier: Apache-2.0
"""Filters between the daemon and the storage, as initiators and administrators see them."""
import os
import tempfile
import time
import unittest

import cdb
import iscsi_pdu as p
from daemon import Daemon, run

COMMAND_ABORTED = 0x40


def served(storage):
    """Starts a daemon that serves the storage, with its filters, as target a."""
    return Daemon("--export", f"{storage},size=16M,name=a")


class FilterCase(unittest.TestCase):
    def session(self, daemon):
        session = daemon.session("a", timeout=60)
        session.execute(cdb.TEST_UNIT_READY)
        return session

    def seconds(self, session, *args, **options):
        begin = time.monotonic()
        session.good(*args, **options)
        return time.monotonic() - begin


class Delay(FilterCase):
    def test_delay(self):
        """Each operation has its own time, and the log shows the filter with its options."""
        with served("alloc/a;filter=delay;delay=100ms;read=400ms") as daemon, self.session(daemon) as session:
            data = os.urandom(4096)
            self.assertGreaterEqual(self.seconds(session, cdb.write10(0, 8), out=data), 0.1)
            begin = time.monotonic()
            self.assertEqual(session.good(cdb.read10(0, 8), length=4096), data)
            self.assertGreaterEqual(time.monotonic() - begin, 0.4)
            self.assertIn("filters: delay (delay=100ms, read=400ms)", daemon.output())

    def test_chain(self):
        """The times of several filters add up, and the order of the log is the order of the text."""
        with served("null/a;filter=delay;read=200ms;filter=delay;delay-random=200-210ms") as daemon, \
                self.session(daemon) as session:
            self.assertGreaterEqual(self.seconds(session, cdb.read10(0, 8), length=4096), 0.4)
            self.assertIn("filters: delay (read=200ms), delay (delay-random=200-210ms)", daemon.output())

    def test_abort(self):
        """An aborted command leaves the filter at once, and other commands are served in the meantime."""
        with served("alloc/a;filter=delay;read=1000s") as daemon, self.session(daemon) as session:
            task = session.start(cdb.read10(0, 8), length=4096)
            session.good(cdb.write10(0, 8), out=bytes(4096))
            self.assertEqual(session.manage(p.ABORT_TASK, referenced=task.itt, refcmdsn=session.cmdsn - 2),
                             p.TMF_COMPLETE)
            session.ping()
            self.assertIsNone(task.status)

    def test_reset(self):
        with served("alloc/a;filter=delay;write=1000s") as daemon, self.session(daemon) as session, \
                daemon.session("a", initiator="iqn.2026-11.test:other", timeout=60) as other:
            task = session.start(cdb.write10(0, 8), bytes(4096))
            session.ping()
            self.assertEqual(other.manage(p.LUN_RESET), p.TMF_COMPLETE)
            self.assertEqual(session.finish(task).status, COMMAND_ABORTED)

    def test_stop(self):
        """When the daemon stops, it does not wait until the time of a filter has passed."""
        with served("alloc/a;filter=delay;read=1000s") as daemon:
            session = self.session(daemon)
            self.addCleanup(session.connection.close)
            session.start(cdb.read10(0, 8), length=4096)
            session.ping()


class Error(FilterCase):
    def information(self, task):
        """Returns INFORMATION of fixed sense data, which is the first wrong LBA."""
        self.assertEqual(task.sense[0], 0xF0)
        return int.from_bytes(task.sense[3:7], "big")

    def test_bad_blocks(self):
        """The sense data of a read error contains the first bad block, and the good blocks before it are delivered."""
        with served("alloc/a;filter=error;operations=read;lba=100-101") as daemon, self.session(daemon) as session:
            data = os.urandom(8 * 512)
            session.good(cdb.write10(96, 8), out=data)
            task = session.execute(cdb.read10(96, 8), length=len(data))
            self.assertEqual((task.status, task.key), (2, (3, 0x11, 0)))
            self.assertEqual(self.information(task), 100)
            self.assertEqual(bytes(task.data[:4 * 512]), data[:4 * 512])
            self.assertEqual(session.good(cdb.read10(102, 2), length=1024), data[6 * 512:])
            self.assertIn("filters: error (operations=read, lba=100-101)", daemon.output())

    def test_sense(self):
        """The administrator chooses the sense data, which is returned until the count is used up."""
        with served("null/a;filter=error;sense=4/44/7f;operations=write;count=2") as daemon, \
                self.session(daemon) as session:
            for _ in range(2):
                task = session.execute(cdb.write10(7, 1), bytes(512))
                self.assertEqual((task.status, task.key), (2, (4, 0x44, 0x7F)))
                self.assertEqual(self.information(task), 7)
            session.good(cdb.write10(7, 1), bytes(512))

    def test_status(self):
        with served("null/a;filter=delay;read=1ms;filter=error;status=busy;every=2") as daemon, \
                self.session(daemon) as session:
            self.assertEqual([session.execute(cdb.read10(0, 8), length=4096).status for _ in range(4)], [0, 8, 0, 8])


class CommandLine(unittest.TestCase):
    def refused(self, storage, reason):
        result = run("--export", storage)
        self.assertEqual(result.returncode, 1, result.stderr)
        self.assertEqual(len(result.stderr.splitlines()), 1, result.stderr)
        self.assertIn(reason, result.stderr)

    def test_mistakes(self):
        self.refused("null/a;filter=nosuch", 'no filter "nosuch" is loaded; the loaded filters are:')
        self.refused("null/a;filter=delay;speed=1", 'filter delay has no option "speed"; its options are: delay')
        self.refused("null/a;filter=delay;delay=10",
                     "filter delay: delay=10: this is not a time; use for example 500us, 10ms or 2s")
        self.refused("null/a;filter=error;every=0", "filter error: every=0: this is not a whole number from 1 to")
        self.refused("null/a;filter=delay;read=1ms;read=2ms", "option read is given twice for filter delay")
        self.refused("null/a,filter=delay", "a filter is a part of the storage and follows a ';'")

    def test_options_of_the_handler(self):
        """An option that is written with a comma belongs to the handler, even if it follows a filter."""
        with tempfile.TemporaryDirectory() as folder:
            with Daemon("--export", f"file/{folder}/a;filter=delay;read=1ms,cache=writethrough,size=1M,create,name=a"):
                pass
            self.refused(f"file/{folder}/a;filter=delay;cache=none", 'filter delay has no option "cache"')

    def test_dump(self):
        result = run("--dump-handlers", "delay")
        self.assertEqual(result.returncode, 0)
        self.assertIn("filter=delay\n", result.stdout)
        self.assertIn("option_delay-random=", result.stdout)
        self.assertNotIn("\nname=", run("--dump-handlers", "delay").stdout)
        self.assertIn("\nfilter=delay\n", run("--dump-handlers").stdout)


if __name__ == "__main__":
    unittest.main()
