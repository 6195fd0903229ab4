# SPDX-License-Identifier: Apache-2.0
"""Storage that does not answer: an operation that waits for it delays only its own connection, and ends after half
a minute with a reason."""
import os
import time

from control_case import ControlCase, main
import cdb
from control_socket import Refused
from daemon import Daemon
from initiator import Session

HANDLERS = os.environ["TCMU_RUNNER_HANG"]
HANGING = 1 << 14  # An LBA in the second half of the disk.
DELETE_S = 30  # The seconds that a deletion waits for storage.


class Hang(ControlCase):
    @classmethod
    def setUpClass(cls):
        cls.daemon = Daemon("--handler-path", HANDLERS, "--export", "hang/a,size=16M,name=a")
        cls.path = cls.daemon.socket

    @classmethod
    def tearDownClass(cls):
        cls.daemon.kill()

    def clean(self):
        """Deletes nothing, because storage that hangs cannot be deleted."""

    def test_delete(self):
        target = next(child["path"] for child in self.call("list", depth=1)["children"] if child["kind"] == "target")
        session = Session(self.daemon.address, target, timeout=60)
        self.addCleanup(session.connection.close)
        session.execute(cdb.TEST_UNIT_READY)
        session.start(cdb.read10(HANGING, 8), length=4096)
        session.ping()
        waiting = self.connect()
        begin = time.monotonic()
        wanted = waiting.send("delete", path=target, recursive=True)
        # Other connections are served in the meantime.
        for number in range(20):
            self.call("create", path=f"t_{number}")
            self.call("delete", path=f"t_{number}")
        self.assertLess(time.monotonic() - begin, DELETE_S)
        self.refused("EBUSY", "delete", path=target, recursive=True)
        self.refused("EBUSY", "create", path=target + "/tpgt_2")
        (tpg,) = self.call("list", path=target, attributes=True)["children"]
        self.assertEqual([child["state"] for child in tpg["children"] if child["kind"] == "portal"], ["closing"])
        self.assertRegex(self.tcmuctl("ls", target), r"\[closing\]")
        with self.assertRaises(Refused) as context:
            waiting.answer(wanted)
        self.assertEqual(context.exception.errno, "EBUSY")
        self.assertIn("does not answer", str(context.exception))
        self.tcmuctl("delete", target, "-r", status=1)


if __name__ == "__main__":
    main()
