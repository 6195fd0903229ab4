# SPDX-License-Identifier: Apache-2.0
"""Task management (RFC 7143 11.5, 11.6, 4.2.3): the responses, and which tasks have ended when the response
comes."""
import hashlib
import os
import tempfile
import time

import cdb
import iscsi_pdu as p
from case import DaemonCase, main

COMMANDS_CLEARED = (6, 0x2F, 0x00)
BUS_RESETS = {(6, 0x29, code) for code in range(5)}
SOLICITED = {"ImmediateData": "No", "InitialR2T": "Yes"}


class TmfCase(DaemonCase):
    def start_waiting_write(self, session, lba=0):
        """Starts a write that waits for the data of its R2T."""
        task = session.start(cdb.write10(lba, 16), os.urandom(8192), manual=True)
        while not task.r2ts:
            session.receive()
        return task

    def assert_aborted(self, session, *tasks):
        """Checks that the tasks get no response, even when their data arrive later."""
        for task in tasks:
            self.assertIsNone(task.status)
            for r2t in task.r2ts:
                session.answer_r2t(task, r2t)
        session.ping()
        for task in tasks:
            self.assertIsNone(task.status, "an answer after the task was aborted")

    def assert_task_aborted(self, session, task):
        """Checks that the command of the session ends with TASK ABORTED, because another initiator aborted it."""
        for r2t in task.r2ts:
            session.answer_r2t(task, r2t)
        self.assertEqual(session.finish(task).status, 0x40)

    def next_unit_attention(self, session):
        return session.execute(cdb.TEST_UNIT_READY).key


class Answers(TmfCase):
    def test_idle(self):
        session = self.session()
        for function in (p.ABORT_TASK_SET, p.CLEAR_TASK_SET, p.LUN_RESET, p.WARM_RESET):
            for immediate in (True, False):
                self.assertEqual(session.manage(function, immediate=immediate), p.TMF_COMPLETE, function)

    def test_not_supported(self):
        session = self.session()
        self.assertEqual(session.manage(p.CLEAR_ACA), p.TMF_NOT_SUPPORTED)
        self.assertIn(session.manage(p.REASSIGN, referenced=1), (p.TMF_NO_REASSIGN, p.TMF_NOT_SUPPORTED))

    def test_unknown_function(self):
        session = self.session()
        for function in (0, 9, 0x7F):
            try:
                self.assertIn(session.manage(function), (p.TMF_NOT_SUPPORTED, p.TMF_REJECTED))
            except AssertionError as error:
                self.assertIn("rejected", str(error))

    def test_unknown_lun(self):
        session = self.session()
        for function in (p.ABORT_TASK_SET, p.CLEAR_TASK_SET, p.LUN_RESET):
            self.assertEqual(session.manage(function, lun=77), p.TMF_NO_LUN)

    def test_abort_of_a_finished_task(self):
        session = self.session()
        task = session.execute(cdb.TEST_UNIT_READY)
        self.assertEqual(session.manage(p.ABORT_TASK, referenced=task.itt, refcmdsn=session.cmdsn - 1),
                         p.TMF_NO_TASK)

    def test_abort_of_a_command_that_never_came(self):
        """RefCmdSN is in the window, so the target treats the command as received and aborted (11.6.1)."""
        session = self.session()
        lost = session.take_cmdsn()
        self.assertEqual(session.manage(p.ABORT_TASK, referenced=0x999, refcmdsn=lost), p.TMF_COMPLETE)
        self.assertEqual(session.execute(cdb.TEST_UNIT_READY).status, 0)


class ColdReset(TmfCase):
    args = TmfCase.args + ("--threads", "2")

    def test_cold_reset_needs_the_attribute(self):
        """A cold reset would end the sessions of all initiators (11.5.1). An attribute must allow it."""
        session, others = self.session(), [self.session() for _ in range(3)]
        self.assertEqual(session.manage(p.COLD_RESET), p.TMF_NOT_SUPPORTED)
        for undisturbed in (session, *others):
            self.assertEqual(undisturbed.ping(), b"ping")


class Waiting(TmfCase):
    """Tasks that wait for data from the initiator."""

    def test_abort_task(self):
        session = self.session(keys=SOLICITED)
        task, other = self.start_waiting_write(session), self.start_waiting_write(session, 100)
        self.assertEqual(session.manage(p.ABORT_TASK, referenced=task.itt, refcmdsn=session.cmdsn - 2),
                         p.TMF_COMPLETE)
        self.assert_aborted(session, task)
        session.answer_r2t(other, other.r2ts.pop())
        self.assertEqual(session.finish(other).status, 0)

    def test_abort_task_on_another_lun(self):
        """The LUN must be the LUN of the task."""
        session = self.session(keys=SOLICITED)
        task = self.start_waiting_write(session)
        self.assertNotEqual(session.manage(p.ABORT_TASK, lun=1, referenced=task.itt, refcmdsn=session.cmdsn - 1),
                            p.TMF_COMPLETE)

    def assert_all_aborted_by(self, function):
        session = self.session(keys=SOLICITED)
        tasks = [self.start_waiting_write(session, i * 16) for i in range(5)]
        before = session.good(cdb.read10(0, 80), length=40960)
        self.assertEqual(session.manage(function), p.TMF_COMPLETE)
        self.assert_aborted(session, *tasks)
        session.execute(cdb.TEST_UNIT_READY)
        self.assertEqual(session.good(cdb.read10(0, 80), length=40960), before, "data of an aborted write")

    def test_abort_task_set(self):
        self.assert_all_aborted_by(p.ABORT_TASK_SET)

    def test_clear_task_set(self):
        self.assert_all_aborted_by(p.CLEAR_TASK_SET)

    def test_lun_reset(self):
        self.assert_all_aborted_by(p.LUN_RESET)

    def test_warm_reset(self):
        self.assert_all_aborted_by(p.WARM_RESET)

    def test_data_half_received(self):
        """The rest of a Data-Out sequence arrives after the abort."""
        session = self.session(keys=SOLICITED)
        task = self.start_waiting_write(session)
        session.connection.send(p.data_out(task.itt, task.r2ts[0].ttt, 0, 0, task.out[:4096], False,
                                           session.expstatsn))
        self.assertEqual(session.manage(p.ABORT_TASK, referenced=task.itt, refcmdsn=session.cmdsn - 1),
                         p.TMF_COMPLETE)
        session.connection.send(p.data_out(task.itt, task.r2ts[0].ttt, 1, 4096, task.out[4096:], True,
                                           session.expstatsn))
        self.assertEqual(session.ping(), b"ping")
        self.assertIsNone(task.status)

    def test_held_back_command(self):
        """A command that waits for a missing CmdSN is in the task set as well (4.2.3.3)."""
        session = self.session()
        hole = session.take_cmdsn()
        task = session.start(cdb.write10(0, 1), os.urandom(512))
        self.assertEqual(session.manage(p.ABORT_TASK, referenced=task.itt, refcmdsn=session.cmdsn - 1),
                         p.TMF_COMPLETE)
        session.connection.send(p.command(cdb.TEST_UNIT_READY, 800, hole, session.expstatsn))
        self.assertEqual(session.connection.recv().itt, 800)
        session.expstatsn += 1
        self.assertEqual(session.ping(immediate=False), b"ping")
        self.assertIsNone(task.status)


class OtherInitiators(TmfCase):
    def test_abort_task_set_leaves_others(self):
        one, two = self.session(keys=SOLICITED), self.session(keys=SOLICITED)
        task = self.start_waiting_write(two)
        self.assertEqual(one.manage(p.ABORT_TASK_SET), p.TMF_COMPLETE)
        two.answer_r2t(task, task.r2ts.pop())
        self.assertEqual(two.finish(task).status, 0)
        self.assertIsNone(self.next_unit_attention(two))

    def test_clear_task_set_is_reported_to_others(self):
        """Other initiators that lost a command get COMMANDS CLEARED BY ANOTHER INITIATOR (SAM-5 5.6)."""
        one, two, bystander = (self.session(keys=SOLICITED) for _ in range(3))
        task = self.start_waiting_write(two)
        self.assertEqual(one.manage(p.CLEAR_TASK_SET), p.TMF_COMPLETE)
        self.assertEqual(self.next_unit_attention(two), COMMANDS_CLEARED)  # the data of the WRITE have not come yet
        self.assert_task_aborted(two, task)
        self.assertIsNone(self.next_unit_attention(two))
        self.assertIsNone(self.next_unit_attention(bystander))
        self.assertIsNone(self.next_unit_attention(one))

    def test_reset_is_reported_to_all(self):
        for function in (p.LUN_RESET, p.WARM_RESET):
            one, two = self.session(keys=SOLICITED), self.session(keys=SOLICITED)
            task = self.start_waiting_write(two)
            self.assertEqual(one.manage(function), p.TMF_COMPLETE)
            self.assert_task_aborted(two, task)
            for session in (one, two):
                self.assertIn(self.next_unit_attention(session), BUS_RESETS)
                self.assertIsNone(self.next_unit_attention(session))

    def test_without_task_aborted_status(self):
        """TAS = 0: commands that another initiator aborts end without a status (SPC-4 7.5.8)."""
        one, two = self.session(keys=SOLICITED), self.session(keys=SOLICITED)
        page = bytearray(one.good(cdb.mode_sense6(0x0A), length=255)[-12:])
        self.assertEqual(page[5] & 0x40, 0x40)
        page[5] &= ~0x40
        one.good(bytes((0x15, 0x10, 0, 0, 4 + len(page), 0)), bytes(4) + bytes(page))
        self.assertEqual(self.next_unit_attention(two), (6, 0x2A, 1))
        task = self.start_waiting_write(two)
        self.assertEqual(one.manage(p.CLEAR_TASK_SET), p.TMF_COMPLETE)
        self.assertEqual(self.next_unit_attention(two), COMMANDS_CLEARED)
        self.assert_aborted(two, task)
        self.assertEqual(one.manage(p.LUN_RESET), p.TMF_COMPLETE)  # this resets the attribute to its default
        self.assertIn(self.next_unit_attention(one), BUS_RESETS)
        self.assertEqual(one.good(cdb.mode_sense6(0x0A), length=255)[-7] & 0x40, 0x40)


class InFlight(TmfCase):
    """Aborts of commands that the storage is executing: the response to the task management function comes after these
    commands have ended, and no answer to a command comes after the response."""

    @classmethod
    def setUpClass(cls):
        handle, cls.path = tempfile.mkstemp(prefix="tcmur-tmf-")
        os.close(handle)
        os.truncate(cls.path, 256 << 20)
        cls.args = ("--export", f"file/{cls.path},name=a", "--threads", "2")
        super().setUpClass()

    @classmethod
    def tearDownClass(cls):
        super().tearDownClass()
        os.unlink(cls.path)

    def manage_under_load(self, function, reading):
        """Sends the task management function while many READs or WRITEs are in flight."""
        session = self.session()
        for turn in range(10):
            length = 128 * 512
            tasks = [session.start(cdb.read10(i * 128, 128), length=length) if reading else
                     session.start(cdb.write10(i * 128, 128), bytes([turn + 1]) * length) for i in range(24)]
            referenced = tasks[12].itt if function == p.ABORT_TASK else p.NO_TAG
            response = session.manage(function, referenced=referenced, refcmdsn=session.cmdsn - 12)
            self.assertIn(response, (p.TMF_COMPLETE, p.TMF_NO_TASK))
            if function == p.ABORT_TASK:
                for task in tasks[:12] + tasks[13:]:
                    self.assertEqual(session.finish(task).status, 0)
            self.assert_no_answer(session)
            while self.next_unit_attention(session):
                pass

    def assert_no_answer(self, session):
        """Checks that no PDU comes except the answer to a ping."""
        known = set(session.tasks)
        session.ping(immediate=False)
        self.assertEqual(set(session.tasks), known, "a command was answered after the task management function")
        session.tasks.clear()

    def test_abort_task(self):
        self.manage_under_load(p.ABORT_TASK, reading=True)
        self.manage_under_load(p.ABORT_TASK, reading=False)

    def test_abort_task_set(self):
        self.manage_under_load(p.ABORT_TASK_SET, reading=True)
        self.manage_under_load(p.ABORT_TASK_SET, reading=False)

    def test_lun_reset(self):
        self.manage_under_load(p.LUN_RESET, reading=True)
        self.manage_under_load(p.LUN_RESET, reading=False)

    def test_no_write_lands_after_the_answer(self):
        """The contents of the medium do not change after the response: no write that the target received before it
        is executed later."""
        writer, manager = self.session(), self.session()
        for turn in range(10):
            for i in range(24):
                writer.start(cdb.write10(i * 128, 128), bytes([turn + 1]) * 65536)
            writer.ping()  # this is answered after all commands were received
            self.assertEqual(manager.manage(p.LUN_RESET), p.TMF_COMPLETE)
            before = self.medium()
            time.sleep(0.05)
            self.assertEqual(self.medium(), before, "a write was executed after the answer to the reset")
            writer.ping(immediate=False)
            writer.tasks.clear()
            while self.next_unit_attention(writer):
                pass

    def medium(self):
        with open(self.path, "rb") as file:
            return hashlib.sha256(file.read(24 * 65536)).hexdigest()


if __name__ == "__main__":
    main()
