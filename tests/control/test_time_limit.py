# SPDX-License-Identifier: Apache-2.0
"""Tests a disk with a time limit: when the time has passed, a command that hangs in its storage is answered, and nothing
waits for the command any more."""
import os

from control_case import TARGET, TPG, ControlCase, main
import cdb
import iscsi_pdu as p
from daemon import Daemon
from initiator import Session

COMMAND_TIMEOUT = (0xB, 0x2E, 0x02)
HANGING = 1 << 14  # LBA in the second half
TASK_ABORTED = 0x40
COMPLETE = 0
RESERVATION_CONFLICT = 0x18
RESERVE, RELEASE = bytes([0x16, 0, 0, 0, 0, 0]), bytes([0x17, 0, 0, 0, 0, 0])


class TimeLimit(ControlCase):
    @classmethod
    def setUpClass(cls):
        cls.daemon = Daemon("--handler-path", os.environ["TCMU_RUNNER_HANG"], "--export", "hang/a,size=16M,name=a")
        cls.path = cls.daemon.socket

    @classmethod
    def tearDownClass(cls):
        cls.daemon.kill()

    def clean(self):
        """Deletes nothing, because a disk whose storage hangs cannot be deleted. Each test has its own disk and LUN."""

    def setUp(self):
        super().setUp()
        number = sorted(name for name in dir(self) if name.startswith("test_")).index(self._testMethodName)
        self.lun, disk = number, f"t_slow{number}"
        self.call("create", path=disk, enable=True,
                  attributes={"control/config": f"hang/{disk}", "control/size": 16 << 20, "attrib/time_limit": 1})
        if not any(child["path"] == TARGET for child in self.call("list", depth=1)["children"]):
            self.create_target()
            self.call("set", path=TPG, attribute="attrib/generate_node_acls", value=1)
            self.call("set", path=TPG, attribute="attrib/demo_mode_write_protect", value=0)
            self.call("create", path=f"{TPG}/127.0.0.1:{self.daemon.address[1]}")
        self.call("create", path=f"{TPG}/lun_{self.lun}", to=disk)

    def session(self, **options):
        session = Session(self.daemon.address, TARGET, timeout=60, **options)
        self.addCleanup(session.connection.close)
        session.execute(cdb.TEST_UNIT_READY, lun=self.lun)
        return session

    def start(self, session, write=False):
        """Starts a command that hangs, and returns it when the storage has received it."""
        out, command = (bytes(4096), cdb.write10) if write else (b"", cdb.read10)
        task = session.start(command(HANGING, 8), out, 4096, self.lun)
        session.ping()
        return task

    def check_served(self, session):
        session.good(cdb.read10(0, 8), length=4096, lun=self.lun)
        session.good(cdb.TEST_UNIT_READY, lun=self.lun)

    def test_answer(self):
        session = self.session()
        for task in [self.start(session) for _ in range(3)]:
            session.finish(task)
            self.assertEqual(task.key, COMMAND_TIMEOUT)
        self.check_served(session)

    def test_abort_task(self):
        """The function is answered, and the command that it has aborted is not."""
        session = self.session()
        for write in (False, True):
            task = self.start(session, write)
            self.assertEqual(session.manage(p.ABORT_TASK, self.lun, task.itt, refcmdsn=session.cmdsn - 1), COMPLETE)
            self.assertIsNone(task.status)
            del session.tasks[task.itt]
        self.check_served(session)

    def test_functions_for_all_tasks(self):
        session = self.session()
        for function in (p.ABORT_TASK_SET, p.CLEAR_TASK_SET, p.LUN_RESET):
            task = self.start(session, True)
            self.assertEqual(session.manage(function, self.lun), COMPLETE)
            del session.tasks[task.itt]
        self.assertEqual(session.execute(cdb.TEST_UNIT_READY, lun=self.lun).key, (6, 0x29, 0x03))
        self.check_served(session)

    def test_reset_by_another(self):
        """The command of this session ends with TASK ABORTED (TAS is 1). The function of the other session then ends, too."""
        session, other = self.session(), self.session()
        task = self.start(session, True)
        self.assertEqual(other.manage(p.LUN_RESET, self.lun), COMPLETE)
        session.finish(task)
        self.assertEqual((task.status, task.sense), (TASK_ABORTED, b""))

    def test_function_after_the_time_limit(self):
        session = self.session()
        session.finish(self.start(session, True))
        self.assertEqual(session.manage(p.LUN_RESET, self.lun), COMPLETE)
        self.assertEqual(session.manage(p.ABORT_TASK_SET, self.lun), COMPLETE)

    def test_logout(self):
        session = self.session()
        session.finish(self.start(session))
        waiting = self.start(session)
        self.assertEqual(session.logout(), 0)
        self.assertEqual(waiting.key, COMMAND_TIMEOUT)
        self.assertTrue(session.connection.wait_closed())
        self.check_served(self.session(isid=session.isid))

    def test_lost_connection(self):
        """The initiator has its session back, and a reservation of the old session is gone."""
        session = self.session()
        session.good(RESERVE, lun=self.lun)
        self.start(session, True)
        session.connection.close()
        again = self.session(isid=session.isid)
        self.check_served(again)
        again.good(RESERVE, lun=self.lun)
        self.assertEqual(self.session().execute(RESERVE, lun=self.lun).status, RESERVATION_CONFLICT)
        again.good(RELEASE, lun=self.lun)
        self.assertIn("has not answered", self.daemon.output())

    def test_many_lost_connections(self):
        """Commands that hang do not use up the sessions of their initiator: each login reinstates the same session."""
        isid = None
        for _ in range(5):
            session = self.session(isid=isid, initiator="iqn.2026-11.test:many")
            isid = session.isid
            self.start(session)
            session.connection.close()
        self.check_served(self.session(isid=isid, initiator="iqn.2026-11.test:many"))
        sessions = [one for one in self.call("sessions")["sessions"] if one["initiator"].endswith("many")]
        self.assertEqual(len(sessions), 1)


if __name__ == "__main__":
    main()
