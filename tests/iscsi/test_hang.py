# SPDX-License-Identifier: Apache-2.0
"""Storage that does not answer: the commands for it hang, and nothing else does."""
import os
import threading
import time
import unittest

import cdb
import initiator
import iscsi_pdu as p
from daemon import REPORTS, Daemon
from initiator import PATIENCE, LoginError

HANDLERS = os.environ["TCMU_RUNNER_HANG"]
HANGING = 1 << 14  # LBA in the second half
STOP_BOUND = 2 * PATIENCE


class Hang(unittest.TestCase):
    def setUp(self):
        self.daemon = Daemon("--handler-path", HANDLERS, "--export", "hang/a,size=16M,name=a", "--threads", "2",
                             "--max-connections", "8", "--login-timeout", "1")
        self.sessions = []

    def tearDown(self):
        for session in self.sessions:
            session.connection.close()
        self.daemon.kill()

    def session(self, **options):
        session = self.daemon.session("a", **options)
        self.sessions.append(session)
        session.execute(cdb.TEST_UNIT_READY)
        return session

    def hanging(self):
        session = self.session()
        session.start(cdb.read10(HANGING, 8), length=4096)
        session.ping()
        return session

    def test_stop(self):
        """The daemon gives up within its time limit, and says why."""
        self.hanging()
        begin = time.monotonic()
        self.daemon.process.terminate()
        self.assertEqual(self.daemon.process.wait(STOP_BOUND), 1)
        self.assertLess(time.monotonic() - begin, STOP_BOUND)
        output = self.daemon.output()
        self.assertIn("storage", output.splitlines()[-1])
        self.assertFalse(any(report in output for report in REPORTS), output)

    def test_others_are_served(self):
        self.hanging()
        session = self.session()
        self.assertEqual(session.good(cdb.read10(0, 8), length=4096), bytes(4096))
        self.assertEqual(session.ping(), b"ping")

    def test_no_answer_to_an_abort(self):
        """FUNCTION COMPLETE would be wrong while the I/O may still be executed (11.5.1)."""
        session = self.hanging()
        (task,) = session.tasks.values()
        session.connection.send(p.Pdu.make(p.TASK_MANAGEMENT, p.FINAL | p.ABORT_TASK, True, itt=99, w20=task.itt,
                                           w24=session.cmdsn, w28=session.expstatsn, w32=session.cmdsn - 1))
        self.assertEqual(session.ping(), b"ping")
        self.assertNotIn(p.TASK_RESPONSE, [pdu.opcode for pdu in session.others])

    def test_same_initiator_again_and_again(self):
        """An initiator that logs in again gets no session before the commands of its old session have ended. Its
        attempts leave nothing behind."""
        session = self.hanging()
        refused = []

        def log_in():
            try:
                initiator.Session(self.daemon.address, session.target, isid=session.isid, timeout=3)
            except (EOFError, OSError, LoginError):
                refused.append(True)

        for _ in range(3):
            tries = [threading.Thread(target=log_in) for _ in range(4)]
            for one in tries:
                one.start()
            for one in tries:
                one.join()
        self.assertEqual(len(refused), 12)
        self.assertEqual(self.session().ping(), b"ping")


if __name__ == "__main__":
    unittest.main()
