# SPDX-License-Identifier: Apache-2.0
"""Storage that does not answer: the commands for it hang, and nothing else does."""
import fcntl
import json
import os
import subprocess
import sys
import tempfile
import termios
import threading
import time
import unittest

import cdb
import initiator
import iscsi_pdu as p
from daemon import REPORTS, Daemon, command_line, free_port, wait_until
from initiator import PATIENCE, LoginError

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../control"))
# pylint: disable=wrong-import-position
from control_socket import Control  # noqa: E402

HANDLERS = os.environ["TCMU_RUNNER_HANG"]
HANGING = 1 << 14  # LBA in the second half
# The daemon ends within 5 seconds. A busy machine gets more time, and still less than the half minute of a removal.
STOP_BOUND = 20


def bytes_in_pipe(end):
    return int.from_bytes(fcntl.ioctl(end, termios.FIONREAD, bytes(4)), sys.byteorder)


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
        self.assertIn("user_0/a: its storage does not answer, and commands are in flight", output)
        self.assertIn("the daemon ends now", output.splitlines()[-1])
        self.assertFalse(any(report in output for report in REPORTS), output)

    def stop(self):
        """Sends SIGTERM to the daemon, which must give up in time. Returns its output."""
        begin = time.monotonic()
        self.daemon.process.terminate()
        self.assertEqual(self.daemon.process.wait(STOP_BOUND), 1)
        self.assertLess(time.monotonic() - begin, STOP_BOUND)
        output = self.daemon.output()
        self.assertIn("the daemon ends now", output.splitlines()[-1])
        self.assertFalse(any(report in output for report in REPORTS), output)
        return output

    def control(self):
        control = Control(self.daemon.socket)
        self.addCleanup(control.close)
        return control

    def test_stop_during_a_drain(self):
        self.hanging()
        control = self.control()
        control.send("drain")
        self.control().call("status")
        self.assertIn("user_0/a", self.stop())

    def test_stop_during_a_removal(self):
        """The removal of a disk waits for its storage for half a minute. The daemon ends without waiting for the removal."""
        self.hanging()
        control = self.control()
        target = next(child["path"] for child in control.call("list", depth=1)["children"]
                      if child["kind"] == "target")
        control.send("delete", path=target, recursive=True)
        control.send("delete", path="user_0/a")
        self.control().call("status")
        self.stop()

    def test_stop_during_operations_on_a_file(self):
        """The storage of a restore hangs, and a save, a reload and a diff wait for the restore. The stop refuses all of
        them, so that the save does not write a part of the configuration."""
        control = self.control()
        path = os.path.join(self.daemon.state, "saveconfig.json")
        control.call("save", file=path)
        with open(path, encoding="utf-8") as file:
            config = json.load(file)
        config["storage_objects"].append({"plugin": "user", "name": "stuck", "config": "hang/stuck/b", "size": 1 << 24})
        with open(path, "w", encoding="utf-8") as file:
            json.dump(config, file)
        control.send("restore", file=path)
        for method in ("save", "reload", "diff"):
            self.control().send(method, file=path)
        self.control().call("status")
        output = self.stop()
        for method in ("restore", "save", "reload"):
            self.assertIn(f"{method} file={path}: refused: the daemon is stopping", output)
        self.assertIn("stuck: its storage does not answer while it is opened", output)
        with open(path, encoding="utf-8") as file:
            self.assertEqual(json.load(file), config)

    def test_stop_during_the_start(self):
        """The storage of an export hangs while it is opened, so that the main loop does not run yet."""
        with tempfile.TemporaryDirectory(prefix="tcmur-start-") as folder:
            command = command_line("--handler-path", HANDLERS, "--export", "hang/stuck/a,size=16M", "--debug",
                                   "--portal", f"127.0.0.1:{free_port()}", "--state-dir", os.path.join(folder, "state"),
                                   "--run-dir", os.path.join(folder, "run"))
            with open(os.path.join(folder, "log"), "w+", encoding="utf-8") as log:
                process = subprocess.Popen(command, stdout=log, stderr=log)
                self.addCleanup(lambda: (process.kill(), process.wait()))

                def output():
                    with open(log.name, encoding="utf-8", errors="replace") as file:
                        return file.read()

                wait_until(lambda: "opening, was configured" in output(), output)
                begin = time.monotonic()
                process.terminate()
                self.assertEqual(process.wait(STOP_BOUND), 1, output())
                self.assertLess(time.monotonic() - begin, STOP_BOUND)
                self.assertIn("because it waits for hang/stuck/a,size=16M", output())

    def test_nobody_reads_the_log(self):
        """The log goes into a pipe that is full, as after Control-S in a terminal. Initiators and the control socket
        are served, and the daemon ends."""
        with tempfile.TemporaryDirectory(prefix="tcmur-log-") as folder:
            log, end = os.pipe()
            self.addCleanup(os.close, log)
            port, pidfile = free_port(), os.path.join(folder, "pid")
            target = "iqn.2026-11.com.example:log"
            command = command_line("--export", "alloc/a,size=16M", "--iqn", target, "--portal", f"127.0.0.1:{port}",
                                   "--state-dir", os.path.join(folder, "state"), "--run-dir", folder,
                                   "--pidfile", pidfile)
            process = subprocess.Popen(command, stdout=end, stderr=end)
            os.close(end)
            self.addCleanup(lambda: (process.kill(), process.wait()))
            wait_until(lambda: os.path.exists(pidfile))
            fcntl.fcntl(log, fcntl.F_SETPIPE_SZ, 4096)
            with Control(os.path.join(folder, "control")) as control:
                for number in range(100):  # each call makes the daemon log a line
                    control.call("create", path=f"iqn.2026-11.com.example:{number}-{'x' * 60}")
                self.assertGreater(bytes_in_pipe(log), 3500)
                for _ in range(10):  # each login makes the daemon log a line, too
                    session = initiator.Session(("127.0.0.1", port), target)
                    session.execute(cdb.TEST_UNIT_READY)
                    session.good(cdb.read10(0, 1), length=512)
                    session.connection.close()
                lines = os.read(log, 4096).decode().splitlines()
                self.assertIn("iqn.2026-11.com.example:0-x", "".join(lines))
                wait_until(lambda: bytes_in_pipe(log) > 3500)  # the daemon writes more of the lines that waited
                begin = time.monotonic()
                process.terminate()
                process.wait(STOP_BOUND)
                self.assertLess(time.monotonic() - begin, STOP_BOUND)

    def test_others_are_served(self):
        self.hanging()
        session = self.session()
        self.assertEqual(session.good(cdb.read10(0, 8), length=4096), bytes(4096))
        self.assertEqual(session.ping(), b"ping")

    def test_no_answer_to_an_abort(self):
        """FUNCTION COMPLETE would be wrong while the I/O may still be executed (RFC 7143 11.5.1)."""
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
