# SPDX-License-Identifier: Apache-2.0
"""SIGTERM: the daemon accepts no more connections, completes commands in flight, flushes, asks initiators to log
out, and exits with status 0 within a time limit."""
import os
import signal
import socket
import tempfile
import threading
import time
import unittest

import cdb
import iscsi_pdu as p
from daemon import Daemon
from initiator import PATIENCE, LoginError

LENGTH = 128 * 512


class Writer(threading.Thread):
    """Keeps writes in flight, and records which of them ended with GOOD."""

    def __init__(self, daemon, first):
        super().__init__()
        self.session = daemon.session("a")
        self.session.execute(cdb.TEST_UNIT_READY)
        self.first, self.good, self.logout_asked = first, {}, False

    def run(self):
        pending, count = {}, 0
        try:
            while True:
                while len(pending) < 16 and not self.logout_asked:
                    slot, value = self.first + count % 64, count % 255 + 1
                    if slot in [other for other, _ in pending.values()]:
                        break
                    task = self.session.start(cdb.write10(slot * 128, 128), bytes([value]) * LENGTH)
                    pending[task] = slot, value
                    self.good.pop(slot, None)  # the contents are unknown until the write is answered
                    count += 1
                pdu = self.session.receive(PATIENCE)
                self.logout_asked |= pdu.opcode == p.ASYNC_MESSAGE and pdu.bhs[36] == 1
                for task in [task for task in pending if task.status is not None]:
                    slot, value = pending.pop(task)
                    if task.status == 0:
                        self.good[slot] = value
                if self.logout_asked and not pending:
                    self.session.logout()
                    return
        except (EOFError, OSError):
            pass


class Sigterm(unittest.TestCase):
    def setUp(self):
        handle, self.path = tempfile.mkstemp(prefix="tcmur-term-")
        os.close(handle)
        os.truncate(self.path, 64 << 20)
        self.addCleanup(os.unlink, self.path)

    def test_under_load(self):
        """Each write that was answered with GOOD is completely in the file."""
        daemon = Daemon("--export", f"file/{self.path},name=a")
        writers = [Writer(daemon, first) for first in (0, 64, 128)]
        for writer in writers:
            writer.start()
        time.sleep(1)
        self.assertLess(daemon.stop(), PATIENCE)
        for writer in writers:
            writer.join(PATIENCE)
            writer.session.connection.close()
            self.assertFalse(writer.is_alive(), "a session hangs")
            self.assertGreater(len(writer.good), 10)
            with open(self.path, "rb") as file:
                for slot, value in writer.good.items():
                    file.seek(slot * LENGTH)
                    self.assertEqual(file.read(LENGTH), bytes([value]) * LENGTH, f"slot {slot}")

    def test_logout_is_asked_for(self):
        """Async Message 1: the target requests a logout (RFC 7143 11.9.1)."""
        daemon = Daemon("--export", "alloc/a,size=1M,name=a")
        session = daemon.session("a")
        daemon.process.send_signal(signal.SIGTERM)
        events = []
        try:
            while True:
                pdu = session.receive(PATIENCE)
                if pdu.opcode == p.ASYNC_MESSAGE:
                    events.append(pdu.bhs[36])
                    session.logout()
        except (EOFError, ConnectionError):
            pass
        session.connection.close()
        self.assertEqual(daemon.process.wait(PATIENCE), 0)
        daemon.stop()
        self.assertIn(1, events)

    def test_peers_that_do_not_answer(self):
        """Silent sessions, incomplete logins and waiting writes do not delay the stop."""
        daemon = Daemon("--export", "alloc/a,size=16M,name=a")
        idle = daemon.session("a")
        waiting = daemon.session("a", keys={"ImmediateData": "No", "InitialR2T": "Yes"})
        waiting.start(cdb.write10(0, 8), bytes(4096), manual=True)
        reading = daemon.session("a", receive_buffer=4096)
        for _ in range(16):
            reading.start(cdb.read10(0, 2048), length=2048 * 512)
        with socket.create_connection(daemon.address):
            self.assertLess(daemon.stop(), PATIENCE)
        for session in (idle, waiting, reading):
            session.connection.close()

    def test_while_initiators_log_in(self):
        """Connections that are opened, log in, replace each other and are closed do not delay the stop, and none
        remains after it."""
        daemon = Daemon("--export", "alloc/a,size=1M,name=a", "--threads", "2")
        stopped = threading.Event()

        def log_in_repeatedly(number):
            while not stopped.is_set():
                try:
                    daemon.session("a", isid=bytes((0x80, 0, 0, 0, 0, number % 3))).connection.close()
                except (EOFError, OSError, LoginError):
                    pass

        threads = [threading.Thread(target=log_in_repeatedly, args=(number,)) for number in range(6)]
        for thread in threads:
            thread.start()
        time.sleep(1)
        try:
            self.assertLess(daemon.stop(), PATIENCE)
        finally:
            stopped.set()
            for thread in threads:
                thread.join()

    def test_no_new_connection_while_stopping(self):
        daemon = Daemon("--export", "alloc/a,size=1M,name=a")
        daemon.stop()
        with self.assertRaises(OSError):
            socket.create_connection(daemon.address, 1)

    def test_twice(self):
        """A second SIGTERM, or one immediately after the start, changes nothing."""
        daemon = Daemon("--export", "alloc/a,size=1M,name=a")
        daemon.process.send_signal(signal.SIGTERM)
        self.assertLess(daemon.stop(), PATIENCE)

    def test_killed_and_restarted(self):
        """After kill -9 the lock is released, and the FUA writes that were answered are in the file."""
        daemon = Daemon("--export", f"file/{self.path},name=a")
        with daemon.session("a") as session:
            session.execute(cdb.TEST_UNIT_READY)
            session.good(cdb.write10(3, 8, fua=True), b"k" * 4096)
            daemon.kill()
        with Daemon("--export", f"file/{self.path},name=a") as again, again.session("a") as session:
            session.execute(cdb.TEST_UNIT_READY)
            self.assertEqual(session.good(cdb.read10(3, 8), length=4096), b"k" * 4096)


if __name__ == "__main__":
    unittest.main()
