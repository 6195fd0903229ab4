# SPDX-License-Identifier: Apache-2.0
"""The base class of the test programs: one daemon for a class of tests. After each test it must still serve, and at
the end it must stop cleanly."""
import unittest

import cdb
from daemon import Daemon


class DaemonCase(unittest.TestCase):
    args = ("--export", "alloc/a,size=64M,name=a")
    options = {}

    @classmethod
    def setUpClass(cls):
        cls.daemon = Daemon(*cls.args, **cls.options)

    @classmethod
    def tearDownClass(cls):
        cls.daemon.stop()

    def session(self, target="a", attention=False, **options):
        """Logs in. Fetches the unit attention for power on (SPC-4 5.9) unless the test wants to see it."""
        session = self.daemon.session(target, **options)
        self.addCleanup(session.connection.close)
        if not attention:
            session.execute(cdb.TEST_UNIT_READY)
        return session

    def assert_serving(self):
        """A new initiator is served as if nothing had happened."""
        self.assertTrue(self.daemon.alive(), "the daemon has ended")
        with self.daemon.session("a", **self.healthy()) as session:
            session.execute(cdb.TEST_UNIT_READY)
            session.good(cdb.TEST_UNIT_READY)
            self.assertEqual(session.logout(), 0)

    def healthy(self):
        """The session options of a well-behaved initiator."""
        return {}

    def tearDown(self):
        self.assert_serving()


main = unittest.main
