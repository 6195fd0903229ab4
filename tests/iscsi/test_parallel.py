# SPDX-License-Identifier: Apache-2.0
"""Sessions on several loops use one LUN, with commands that exclude each other, resets, reservations, logins and
broken connections. Each command must end as the standards allow, and the daemon must survive. The purpose is to let
ThreadSanitizer find races."""
import os
import random
import socket
import struct
import tempfile
import threading
import time

import cdb
import iscsi_pdu as p
from case import DaemonCase, main

SECONDS = 4
SESSIONS = 5
UNIT_ATTENTION, ABORTED_COMMAND, MISCOMPARE = 6, 11, 14
BUSY_STATUSES = {0x18, cdb.BUSY, cdb.TASK_SET_FULL, cdb.TASK_ABORTED}
RESERVE, RELEASE = bytes([0x16, 0, 0, 0, 0, 0]), bytes([0x17, 0, 0, 0, 0, 0])


def unmap(lba, blocks):
    return struct.pack(">BBIBHB", 0x42, 0, 0, 0, 24, 0), struct.pack(">HHIQII", 22, 16, 0, lba, blocks, 0)


def write_same(lba, blocks):
    return struct.pack(">BBQIBB", 0x93, 0, lba, blocks, 0, 0), bytes(512)


class Worker(threading.Thread):
    """One initiator, which sends bursts of random commands for few blocks, so that the commands overlap."""

    def __init__(self, daemon, seed):
        super().__init__()
        self.daemon_, self.random, self.error = daemon, random.Random(seed), None
        self.end, self.commands = time.monotonic() + SECONDS, 0

    def command(self, session):
        pick, lba, blocks = self.random, self.random.randrange(64), self.random.randrange(1, 32)
        return session.start(*pick.choices([
            (cdb.read10(lba, blocks), b"", blocks * 512), (cdb.write10(lba, blocks), bytes(blocks * 512)),
            (cdb.compare_and_write(lba, 1), bytes(1024)), unmap(lba, blocks), write_same(lba, blocks),
            (cdb.synchronize_cache(),), (cdb.mode_sense6(8), b"", 255), (RESERVE,), (RELEASE,),
            (cdb.inquiry(0xB0), b"", 255)], [12, 12, 6, 3, 3, 2, 1, 1, 1, 1])[0])

    def check(self, task):
        self.commands += 1
        if task.status and task.status not in BUSY_STATUSES:
            assert task.key[0] in (UNIT_ATTENTION, ABORTED_COMMAND, MISCOMPARE), (task.cdb.hex(), task.key)

    def burst(self, session):
        tasks = [self.command(session) for _ in range(self.random.randrange(1, 9))]
        what = self.random.random()
        if what < 0.02:
            return False  # the connection ends with commands in flight
        if what < 0.06:
            session.manage(self.random.choice((p.ABORT_TASK_SET, p.LUN_RESET)))
        # A reset, by this session or another, may have ended commands without an answer (SAM-5 7.5.8, TAS 0).
        session.ping()
        try:
            while any(task.status is None for task in tasks):
                session.receive(timeout=0.5)
        except socket.timeout:
            session.manage(p.ABORT_TASK_SET)
            session.tasks.clear()
        for task in tasks:
            if task.status is not None:
                self.check(task)
        return True

    def run(self):
        try:
            while time.monotonic() < self.end:
                with self.daemon_.session("a") as session:
                    while time.monotonic() < self.end and self.burst(session):
                        pass
        except BaseException as error:  # pylint: disable=broad-except
            self.error = error


class Memory(DaemonCase):
    args = ("--export", "alloc/a,size=1M,name=a", "--threads", "3")

    def test_sessions(self):
        workers = [Worker(self.daemon, seed) for seed in range(SESSIONS)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        for worker in workers:
            if worker.error:
                raise worker.error
        self.assertGreater(sum(worker.commands for worker in workers), 100)
        self.wait_for_the_last_reservation()

    def wait_for_the_last_reservation(self):
        """A worker may have left a reservation, which ends when the daemon has noticed the end of its connection."""
        deadline = time.monotonic() + 60
        with self.daemon.session("a") as session:
            while session.execute(cdb.TEST_UNIT_READY).status == 0x18:
                self.assertLess(time.monotonic(), deadline, "a reservation outlives its session")
                time.sleep(0.05)


class File(Memory):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(dir=os.getcwd())
        cls.addClassCleanup(folder.cleanup)
        cls.args = ("--export", f"file/{folder.name}/disk,size=1M,create,name=a", "--threads", "3")
        super().setUpClass()


class LentMemory(DaemonCase):
    """The data of a long READ are sent from the memory of the disk. The standards allow a WRITE to change them until
    then, so ThreadSanitizer must not report this."""
    args = ("--export", "alloc/a,size=4M,name=a", "--threads", "2", "--nop-interval", "100")

    def test_write_while_a_read_waits_to_be_sent(self):
        writer, readers = self.session(), [self.session(), self.session()]  # One reader is on the other loop.
        # The first READs fill the sockets, so that the last one waits while the reader receives nothing.
        reads = [(reader, reader.start(cdb.read10(lba, blocks), length=blocks * 512)) for reader in readers
                 for lba, blocks in [(2048, 2048)] * 12 + [(0, 128)]]
        time.sleep(0.5)
        writer.good(cdb.write10(0, 128), b"w" * 65536)
        for _ in range(2000):  # Makes ThreadSanitizer forget the call stack of the write.
            writer.good(cdb.TEST_UNIT_READY)
        for reader, read in reads:
            self.assertEqual(reader.finish(read).status, 0)
            self.assertEqual(len(read.data), read.length)


if __name__ == "__main__":
    main()
