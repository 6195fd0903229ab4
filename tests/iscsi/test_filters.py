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
    """A daemon that serves storage, which may have filters, as target a."""
    return Daemon("--export", f"{storage},size=16M,name=a")


class FilterCase(unittest.TestCase):
    def session(self, daemon):
        session = daemon.session("a", timeout=60)
        self.addCleanup(session.connection.close)
        session.execute(cdb.TEST_UNIT_READY)
        return session

    def seconds(self, session, *args, **options):
        begin = time.monotonic()
        session.good(*args, **options)
        return time.monotonic() - begin


class Delay(FilterCase):
    def test_delay(self):
        """Each operation has its own time, and the log shows the filter with its options."""
        with served("alloc/a;filter=delay;delay=100ms;read=400ms") as daemon:
            session = self.session(daemon)
            data = os.urandom(4096)
            self.assertGreaterEqual(self.seconds(session, cdb.write10(0, 8), out=data), 0.1)
            begin = time.monotonic()
            self.assertEqual(session.good(cdb.read10(0, 8), length=4096), data)
            self.assertGreaterEqual(time.monotonic() - begin, 0.4)
            self.assertIn("filters: delay (delay=100ms, read=400ms)", daemon.output())

    def test_chain(self):
        """The times of several filters add up, and the order of the log is the order of the text."""
        with served("null/a;filter=delay;read=200ms;filter=delay;delay-random=200-210ms") as daemon:
            self.assertGreaterEqual(self.seconds(self.session(daemon), cdb.read10(0, 8), length=4096), 0.4)
            self.assertIn("filters: delay (read=200ms), delay (delay-random=200-210ms)", daemon.output())

    def test_abort(self):
        """An aborted command leaves the filter at once; other commands are served meanwhile."""
        with served("alloc/a;filter=delay;read=1000s") as daemon:
            session = self.session(daemon)
            task = session.start(cdb.read10(0, 8), length=4096)
            session.good(cdb.write10(0, 8), out=bytes(4096))
            self.assertEqual(session.manage(p.ABORT_TASK, referenced=task.itt, refcmdsn=session.cmdsn - 2),
                             p.TMF_COMPLETE)
            session.ping()
            self.assertIsNone(task.status)

    def test_reset(self):
        with served("alloc/a;filter=delay;write=1000s") as daemon:
            session, other = self.session(daemon), daemon.session("a", initiator="iqn.2026-11.test:other", timeout=60)
            self.addCleanup(other.connection.close)
            task = session.start(cdb.write10(0, 8), bytes(4096))
            session.ping()
            self.assertEqual(other.manage(p.LUN_RESET), p.TMF_COMPLETE)
            self.assertEqual(session.finish(task).status, COMMAND_ABORTED)

    def test_stop(self):
        """The daemon does not wait for the time of a filter when it stops."""
        with served("alloc/a;filter=delay;read=1000s") as daemon:
            session = self.session(daemon)
            session.start(cdb.read10(0, 8), length=4096)
            session.ping()


class CommandLine(unittest.TestCase):
    def refused(self, storage, reason):
        result = run("--export", storage)
        self.assertEqual(result.returncode, 1, result.stderr)
        self.assertEqual(len(result.stderr.splitlines()), 1, result.stderr)
        self.assertIn(reason, result.stderr)

    def test_mistakes(self):
        self.refused("null/a;filter=nosuch", 'no filter "nosuch" is loaded; there are:')
        self.refused("null/a;filter=delay;speed=1", 'filter delay has no option "speed"; there are: delay')
        self.refused("null/a;filter=delay;delay=10",
                     "filter delay: delay=10: this is not a time; use for example 500us, 10ms or 2s")
        self.refused("null/a;filter=delay;read=1ms;read=2ms", "option read is given twice for filter delay")
        self.refused("null/a,filter=delay", "a filter is a part of the storage and follows a ';'")

    def test_options_of_the_handler(self):
        """An option that is written with a comma is the handler's, also behind a filter."""
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
