# SPDX-License-Identifier: Apache-2.0
"""The contents of a disk in memory: they survive the daemon if systemd keeps them, and their loss is noticed."""
import os
import tempfile
import unittest

import cdb
from daemon import Daemon, run
from test_identity import page
from test_systemd import Systemd

DISK = "alloc/a,size=1M,name=a"
DATA = bytes(range(256)) * 2
INTERVENTION_REQUIRED = (2, 0x04, 0x03)
MEDIUM_MAY_HAVE_CHANGED = (6, 0x28, 0x00)


def attentions(session, lun=0):
    """Returns the unit attentions that wait, in their order."""
    seen = []
    while (task := session.execute(cdb.TEST_UNIT_READY, lun=lun)).key:
        seen.append(task.key)
        if task.key[0] != 6:
            break
    return seen


class Contents(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="tcmur-")
        self.addCleanup(folder.cleanup)
        self.state = ("--state-dir", os.path.join(folder.name, "state"))

    def write(self, daemon):
        with daemon.session("a") as session:
            attentions(session)
            session.good(cdb.write10(7, 1), DATA)
            return page(session, 0x80)

    def test_memory_survives_kill_and_restart(self):
        with Systemd() as systemd:
            daemon = systemd.start("--export", DISK, *self.state)
            self.assertEqual(systemd.next_message(), b"READY=1")
            serial = self.write(daemon)
            for end in Daemon.kill, Daemon.stop:
                end(daemon)
                daemon = systemd.start("--export", DISK, *self.state)
                with daemon.session("a") as session:
                    self.assertEqual(attentions(session), [cdb.POWER_ON])
                    self.assertEqual(session.good(cdb.read10(7, 1), length=512), DATA)
                    self.assertEqual(page(session, 0x80), serial)
                    session.logout()
            daemon.stop()

    def test_second_daemon_with_the_state_folder_is_refused(self):
        with Daemon("--export", DISK, *self.state) as daemon:
            second = run("--export", DISK, "--portal", "127.0.0.1:0", *self.state)
            self.assertEqual(second.returncode, 1, second.stderr)
            self.assertIn(f"process {daemon.process.pid} serves a disk in memory under this name", second.stderr)
            self.assertIn("--state-dir", second.stderr)
            with Daemon("--export", "alloc/b,size=1M,name=b", *self.state):
                pass
        with Daemon("--export", DISK, *self.state):
            pass

    def lose(self, *options):
        """Writes to a disk and kills its daemon, while nothing keeps its memory."""
        daemon = Daemon("--export", DISK + "".join(options), *self.state)
        serial = self.write(daemon)
        daemon.kill()
        return serial

    def test_lost_contents_are_another_disk(self):
        serial = self.lose()
        with Daemon("--export", DISK, *self.state) as daemon, daemon.session("a") as session:
            self.assertEqual(attentions(session), [cdb.POWER_ON, MEDIUM_MAY_HAVE_CHANGED])
            self.assertNotEqual(page(session, 0x80), serial)
            self.assertEqual(session.good(cdb.read10(7, 1), length=512), bytes(512))
            self.assertIn("it is an empty disk now", daemon.output())

    def test_lost_contents_of_a_fixed_identity_are_not_served(self):
        self.lose(",serial=S")
        for _ in range(2):
            with Daemon("--export", DISK + ",serial=S", *self.state) as daemon, daemon.session("a") as session:
                self.assertEqual(attentions(session), [cdb.POWER_ON, INTERVENTION_REQUIRED])
                for command in cdb.read10(7, 1), cdb.write10(7, 1):
                    data = DATA if command[0] == 0x2A else b""
                    self.assertEqual(session.execute(command, data, length=0 if data else 512).key,
                                     INTERVENTION_REQUIRED)
                self.assertEqual(page(session, 0x80), b"S")
                self.assertIn("lost=accept", daemon.output())

    def test_another_disk_with_the_serial_number_does_not_have_the_contents(self):
        """Another disk has the serial number of the disk that was written, but neither its memory nor its name."""
        self.lose(",serial=S")
        with Daemon("--export", "alloc/b,size=1M,name=a,serial=T", *self.state) as daemon, \
                daemon.session("a") as session:
            self.assertEqual(attentions(session), [cdb.POWER_ON])
        with Daemon("--export", "alloc/b,size=1M,name=a,serial=S", *self.state) as daemon, \
                daemon.session("a") as session:
            self.assertEqual(attentions(session), [cdb.POWER_ON, INTERVENTION_REQUIRED])
            self.assertIn("lost=accept", daemon.output())
        # An export of the same name without a serial number is another disk. If a daemon serves that disk and ends, the
        # loss of the first disk is still reported.
        with Daemon("--export", DISK, *self.state):
            pass
        with Daemon("--export", DISK + ",serial=S", *self.state) as daemon, daemon.session("a") as session:
            self.assertEqual(attentions(session), [cdb.POWER_ON, INTERVENTION_REQUIRED])

    def test_loss_is_accepted(self):
        self.lose(",serial=S")
        with Daemon("--export", DISK + ",serial=S,lost=accept", *self.state) as daemon, \
                daemon.session("a") as session:
            self.assertEqual(attentions(session), [cdb.POWER_ON, MEDIUM_MAY_HAVE_CHANGED])
            self.assertEqual(session.good(cdb.read10(7, 1), length=512), bytes(512))
        with Daemon("--export", DISK + ",serial=S", *self.state) as daemon, daemon.session("a") as session:
            self.assertEqual(attentions(session), [cdb.POWER_ON])

    def test_unwritten_disk_has_lost_nothing(self):
        Daemon("--export", DISK + ",serial=S", *self.state).kill()
        with Daemon("--export", DISK + ",serial=S", *self.state) as daemon, daemon.session("a") as session:
            self.assertEqual(attentions(session), [cdb.POWER_ON])


if __name__ == "__main__":
    unittest.main()
