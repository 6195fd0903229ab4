# SPDX-License-Identifier: Apache-2.0
"""The LUNs of a target change while the daemon is not running: an initiator is told so before its first access to a LUN.
tests/control/test_luns.py has the changes while the daemon is running."""
import os
import tempfile
import unittest

import cdb
from daemon import Daemon, lun_numbers, wait_until
from test_contents import attentions

LUNS_CHANGED = (6, 0x3F, 0x0E)
DISKS = ["alloc/a,size=1M,name=t,lun=0,serial=A", "alloc/b,size=1M,name=t,lun=1,serial=B",
         "alloc/c,size=1M,name=t,lun=2,serial=C"]
MOVED = [DISKS[0], "alloc/c,size=1M,name=t,lun=1,serial=C"]


class Inventory(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="tcmur-")
        self.addCleanup(folder.cleanup)
        self.state = os.path.join(folder.name, "state")

    def daemon(self, exports):
        return Daemon(*(word for export in exports for word in ("--export", export)), "--state-dir", self.state)

    def session(self, daemon, number=1):
        """A session of an initiator that logs in with the same ISID each time."""
        return daemon.session("t", isid=bytes([0x80, 0, 0, 0, 0, number]))

    def expect(self, daemon, *expected, number=1):
        """Logs in and checks the unit attentions of all LUNs."""
        with self.session(daemon, number) as session:
            for lun in range(2):
                self.assertEqual(attentions(session, lun), [cdb.POWER_ON, *expected], f"LUN {lun}")
            session.logout()

    def test_lun_that_moves_during_a_restart(self):
        with self.daemon(DISKS) as daemon:
            self.expect(daemon)
        with self.daemon(DISKS) as daemon:
            self.expect(daemon)
        with self.daemon(MOVED) as daemon:
            self.expect(daemon, LUNS_CHANGED)
            self.assertIn("the LUNs of", daemon.output())
            # The initiator has not asked for its LUNs, so it is told again. Another initiator knows no other LUNs.
            self.expect(daemon, LUNS_CHANGED)
            self.expect(daemon, number=2)
            with self.session(daemon) as session:
                self.assertEqual(lun_numbers(session), [0, 1])
                self.assertEqual(attentions(session, 1), [cdb.POWER_ON])
                session.logout()
            self.expect(daemon)
        with self.daemon(MOVED) as daemon:
            self.expect(daemon)

    def test_daemon_that_is_killed(self):
        daemon = self.daemon(DISKS)
        self.expect(daemon)
        wait_until(lambda: os.path.exists(os.path.join(self.state, "inventories")))
        daemon.kill()
        with self.daemon(MOVED) as daemon:
            self.expect(daemon, LUNS_CHANGED)


if __name__ == "__main__":
    unittest.main()
