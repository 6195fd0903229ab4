# SPDX-License-Identifier: Apache-2.0
"""Tests sessions in full feature phase (RFC 7143 4.2.2, 6.3.5, 11.14, 11.18): the order of commands, reinstatement,
logout, and lost connections."""
import os
import socket
import struct
import time

import cdb
import iscsi_pdu as p
from case import DaemonCase, main
from initiator import LoginError, Task


def make_test_unit_ready(session, cmdsn, itt, immediate=False):
    """Returns a task and a PDU of TEST UNIT READY with this CmdSN. The caller sends the PDU."""
    session.tasks[itt] = task = Task(itt, cdb.TEST_UNIT_READY, b"", 0, 0, False)
    pdu = p.command(cdb.TEST_UNIT_READY, itt, cmdsn, session.expstatsn, immediate=immediate)
    return task, pdu


class CommandOrder(DaemonCase):
    def test_missing_command_delays_later_ones(self):
        """Non-immediate commands are delivered in CmdSN order (4.2.2.1)."""
        session = self.session()
        first = session.take_cmdsn()
        later, pdu = make_test_unit_ready(session, session.take_cmdsn(), 501)
        session.connection.send(pdu)
        self.assertEqual(session.ping(), b"ping")
        self.assertIsNone(later.status, "executed before an earlier CmdSN")
        earlier, pdu = make_test_unit_ready(session, first, 500)
        session.connection.send(pdu)
        session.receive()
        self.assertEqual((earlier.status, later.status), (0, None))
        self.assertEqual(session.finish(later).status, 0)

    def test_reversed_burst(self):
        session = self.session()
        pairs = [make_test_unit_ready(session, session.take_cmdsn(), 600 + i) for i in range(16)]
        session.connection.send(*[pdu for _, pdu in reversed(pairs)])
        for task, _ in pairs:
            self.assertEqual(session.finish(task).status, 0)

    def test_burst(self):
        session = self.session()
        pairs = [make_test_unit_ready(session, session.take_cmdsn(), 600 + i) for i in range(100)]
        session.connection.send(*[pdu for _, pdu in pairs])
        for task, _ in pairs:
            self.assertEqual(session.finish(task).status, 0)

    def assert_ignored(self, cmdsn_of):
        session = self.session()
        _, pdu = make_test_unit_ready(session, cmdsn_of(session) & 0xFFFFFFFF, 700)
        session.connection.send(pdu)
        self.assertEqual(session.ping(immediate=False), b"ping")
        self.assertIn(700, session.tasks, "a command outside of the window was executed")

    def test_below_the_window_is_ignored(self):
        self.assert_ignored(lambda session: session.cmdsn - 1)
        self.assert_ignored(lambda session: session.cmdsn - 1000)

    def test_above_the_window_is_ignored(self):
        self.assert_ignored(lambda session: session.maxcmdsn + 1)
        self.assert_ignored(lambda session: session.maxcmdsn + 100000)

    def test_duplicate_is_ignored(self):
        session = self.session()
        cmdsn = session.take_cmdsn()
        one, pdu = make_test_unit_ready(session, cmdsn, 701)
        session.connection.send(pdu)
        session.finish(one)
        _, pdu = make_test_unit_ready(session, cmdsn, 702)
        session.connection.send(pdu)
        self.assertEqual(session.ping(immediate=False), b"ping")
        self.assertIn(702, session.tasks)

    def test_immediate_command_does_not_wait_for_a_missing_one(self):
        session = self.session()
        session.take_cmdsn()
        task, pdu = make_test_unit_ready(session, session.cmdsn, 703, immediate=True)
        session.connection.send(pdu)
        self.assertEqual(session.finish(task).status, 0)

    def test_immediate_does_not_advance(self):
        session = self.session()
        for _ in range(5):
            self.assertEqual(session.execute(cdb.TEST_UNIT_READY, immediate=True).status, 0)
        self.assertEqual(session.execute(cdb.TEST_UNIT_READY).status, 0)

    def test_many_immediate_commands(self):
        """The number of immediate commands is limited. Commands over the limit are rejected (11.17.1) and do not wait
        for ever."""
        session = self.session(keys={"ImmediateData": "No", "InitialR2T": "Yes"})
        for itt in range(1000, 3000):
            session.connection.send(p.command(cdb.write10(0, 8), itt, session.cmdsn, session.expstatsn, length=4096,
                                              flags=p.FINAL | p.WRITE | p.SIMPLE, immediate=True))
        reasons = set()
        try:
            for _ in range(2000):
                pdu = session.connection.recv(1)
                if pdu.opcode == p.REJECT:
                    reasons.add(pdu.bhs[2])
                else:
                    self.assertIn(pdu.opcode, (p.R2T, p.SCSI_RESPONSE))
        except (EOFError, socket.timeout):
            pass
        self.assertLessEqual(reasons, {0x05, 0x06, 0x08, 0x0A})

    def test_duplicate_task_tag(self):
        """An ITT that is in use is a protocol error (11.2.1.8): the PDU is rejected, or the connection ends."""
        session = self.session(keys={"ImmediateData": "No", "InitialR2T": "Yes"})
        task = session.start(cdb.write10(0, 8), bytes(4096), manual=True)
        session.connection.send(p.command(cdb.TEST_UNIT_READY, task.itt, session.take_cmdsn(), session.expstatsn))
        try:
            while True:
                pdu = session.connection.recv()
                self.assertFalse(pdu.opcode == p.SCSI_RESPONSE and pdu.bhs[3] == 0, "two tasks with one tag")
                if pdu.opcode in (p.REJECT, p.SCSI_RESPONSE):
                    return
        except EOFError:
            pass


class Window(DaemonCase):
    args = DaemonCase.args + ("--queue-depth", "4")

    def test_size_is_the_queue_depth(self):
        session = self.session()
        session.ping()
        self.assertEqual(session.maxcmdsn - session.cmdsn + 1, 4)

    def test_closes_while_commands_wait(self):
        """The window opens again when these commands end."""
        session = self.session(keys={"ImmediateData": "No", "InitialR2T": "Yes"})
        tasks = [session.start(cdb.write10(i, 1), bytes(512), manual=True) for i in range(4)]
        while not all(task.r2ts for task in tasks):
            session.receive()
        session.ping()
        self.assertEqual((session.maxcmdsn - session.cmdsn + 1) & 0xFFFFFFFF, 0)
        for task in tasks:
            session.answer_r2t(task, task.r2ts.pop())
            self.assertEqual(session.finish(task).status, 0)
        session.ping()
        self.assertEqual(session.maxcmdsn - session.cmdsn + 1, 4)


class Reinstatement(DaemonCase):
    def test_same_isid(self):
        """A login with the ISID of an existing session and TSIH 0 ends this session (6.3.5)."""
        old = self.session()
        task = old.start(cdb.write10(0, 8), bytes(4096), manual=True)
        self.assertIsNone(task.status)
        new = self.session(isid=old.isid)
        self.assertTrue(old.connection.wait_closed(), "the old session has not ended")
        self.assertNotEqual(new.tsih, old.tsih)
        self.assertEqual(new.ping(), b"ping")

    def test_same_connection(self):
        """A login with TSIH and CID as well continues the session (6.3.4), with the values that were negotiated for
        the whole session."""
        keys = {"ImmediateData": "No", "InitialR2T": "Yes", "MaxBurstLength": "4096", "FirstBurstLength": "4096"}
        old = self.session(keys=keys)
        new = self.session(login=False, attention=True, isid=old.isid, tsih=old.tsih)
        new.asked = {"MaxRecvDataSegmentLength": "65536"}
        new.login()
        self.assertTrue(old.connection.wait_closed())
        self.assertEqual(new.tsih, old.tsih)
        new.adopt(old.answers | new.answers)
        new.execute(cdb.TEST_UNIT_READY)
        data = os.urandom(16384)
        new.good(cdb.write10(0, 32), data)
        self.assertEqual(new.good(cdb.read10(0, 32), length=16384), data)

    def test_many_times(self):
        session = self.session()
        for _ in range(20):
            session = self.session(isid=session.isid)
        self.assertEqual(session.ping(), b"ping")

    def test_under_load(self):
        old = self.session()
        for i in range(32):
            old.start(cdb.read10(0, 2048), length=2048 * 512)
        new = self.session(isid=old.isid)
        self.assertEqual(new.ping(), b"ping")
        self.assertTrue(old.connection.wait_closed())

    def test_other_isid_or_name_or_target(self):
        first = self.session()
        second = self.session()
        third = self.session(isid=first.isid, initiator="iqn.2026-11.test:other")
        for session in (first, second, third):
            self.assertEqual(session.ping(), b"ping")

    def test_second_connection(self):
        """MaxConnections is 1, so another CID is refused, and the session continues."""
        session = self.session()
        with self.assertRaises((LoginError, EOFError)):
            other = self.session(login=False, attention=True, isid=session.isid, tsih=session.tsih)
            other.cid = 7
            other.login()
        self.assertEqual(session.ping(), b"ping")


class Logout(DaemonCase):
    def test_close_session(self):
        session = self.session()
        self.assertEqual(session.logout(0), 0)
        self.assertTrue(session.connection.wait_closed())

    def test_close_connection(self):
        session = self.session()
        self.assertEqual(session.logout(1, 0), 0)
        self.assertTrue(session.connection.wait_closed())

    def test_unknown_connection(self):
        session = self.session()
        self.assertEqual(session.logout(1, 99), 1)
        self.assertEqual(session.ping(), b"ping")

    def test_recovery_is_not_supported(self):
        self.assertEqual(self.session().logout(2, 0), 2)

    def test_with_commands_waiting(self):
        session = self.session(keys={"ImmediateData": "No", "InitialR2T": "Yes"})
        for i in range(4):
            session.start(cdb.write10(i, 8), bytes(4096), manual=True)
        self.assertEqual(session.logout(), 0)
        self.assertTrue(session.connection.wait_closed())

    def test_pdu_after_a_logout(self):
        """PDUs after a logout are not executed."""
        session = self.session()
        before = session.good(cdb.read10(0, 1), length=512)
        session.connection.send(
            p.Pdu.make(p.LOGOUT, immediate=True, itt=90, w24=session.cmdsn, w28=session.expstatsn),
            p.command(cdb.write10(0, 1), 91, session.cmdsn, session.expstatsn, length=512, data=os.urandom(512),
                      flags=p.FINAL | p.WRITE | p.SIMPLE))
        session.connection.wait_closed()
        self.assertEqual(self.session().good(cdb.read10(0, 1), length=512), before)


class Drop(DaemonCase):
    """The peer ends the connection in every phase, normally or with a reset. The daemon frees everything that
    belonged to the connection (LeakSanitizer checks this)."""

    def drop(self, session):
        if self.reset:
            session.connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        session.connection.close()

    def drop_in_phase(self, phase):
        """Brings sessions into the phase, and drops their connections normally and with a reset."""
        for self.reset in (False, True):
            for _ in range(4):
                session = self.session(keys={"ImmediateData": "No", "InitialR2T": "Yes", "DataDigest": "CRC32C"})
                phase(session)
                self.drop(session)

    def test_idle(self):
        self.drop_in_phase(lambda session: None)

    def test_in_login(self):
        for self.reset in (False, True):
            session = self.session(login=False, attention=True)
            session.login_step(session.names() | {"AuthMethod": "None"}, 0)
            self.drop(session)

    def test_in_a_header(self):
        self.drop_in_phase(lambda session: session.connection.send_bytes(bytes(20)))

    def test_in_immediate_data(self):
        for self.reset in (False, True):
            session = self.session()
            pdu = p.command(cdb.write10(0, 8), 50, session.cmdsn, session.expstatsn, length=4096,
                            flags=p.FINAL | p.WRITE | p.SIMPLE, data=bytes(4096))
            session.connection.send_bytes(pdu.encode()[:1000])
            self.drop(session)

    def start_waiting_write(self, session):
        task = session.start(cdb.write10(0, 128), bytes(65536), manual=True)
        while not task.r2ts:
            session.receive()
        return task

    def test_before_the_answer_to_r2t(self):
        self.drop_in_phase(self.start_waiting_write)

    def test_in_data_out(self):
        def phase(session):
            task = self.start_waiting_write(session)
            pdu = p.data_out(task.itt, task.r2ts[0].ttt, 0, 0, bytes(8192), False, session.expstatsn)
            session.connection.send_bytes(pdu.encode(False, True)[:5000])
        self.drop_in_phase(phase)

    def test_under_data_in(self):
        def phase(session):
            for _ in range(16):
                session.start(cdb.read10(0, 2048), length=2048 * 512)
            session.connection.recv()
        self.drop_in_phase(phase)

    def test_with_writes_in_flight(self):
        def phase(session):
            for i in range(16):
                session.start(cdb.write10(i * 128, 128), bytes(65536), manual=True)
        self.drop_in_phase(phase)

    def test_half_closed(self):
        session = self.session()
        session.connection.socket.shutdown(socket.SHUT_WR)
        self.assertTrue(session.connection.wait_closed())


class Nop(DaemonCase):
    def test_echo(self):
        session = self.session()
        for size in (0, 1, 3, 4, 1000, 8192):
            data = os.urandom(size)
            for immediate in (True, False):
                self.assertEqual(session.ping(data, immediate), data)

    def test_echo_is_cut_at_the_segment_of_the_initiator(self):
        """The answer is not longer than the initiator's MaxRecvDataSegmentLength (11.18.1)."""
        session = self.session(keys={"MaxRecvDataSegmentLength": "512"})
        data = os.urandom(4096)
        self.assertEqual(session.ping(data), data[:512])

    def test_without_tag_has_no_answer(self):
        session = self.session()
        session.connection.send(p.Pdu.make(p.NOP_OUT, immediate=True, w20=p.NO_TAG, w24=session.cmdsn,
                                           w28=session.expstatsn))
        self.assertEqual(session.ping(b"next"), b"next")

    def test_answer_to_a_ping_that_was_never_sent(self):
        """A NOP-Out answers a NOP-In that was never sent."""
        session = self.session()
        session.connection.send(p.Pdu.make(p.NOP_OUT, immediate=True, w20=0x1234, w24=session.cmdsn,
                                           w28=session.expstatsn))
        try:
            session.ping()
        except (EOFError, AssertionError):
            pass


class DeadPeer(DaemonCase):
    args = DaemonCase.args + ("--nop-interval", "1", "--nop-timeout", "2")

    def test_silent_peer_is_dropped(self):
        session = self.session()
        begin = time.monotonic()
        self.assertTrue(session.connection.wait_closed(), "the session of a peer that does not answer has not ended")
        self.assertGreater(time.monotonic() - begin, 2)

    def test_answering_peer_stays(self):
        session = self.session()
        deadline, probes = time.monotonic() + 6, 0
        while time.monotonic() < deadline:
            try:
                probes += session.receive(deadline - time.monotonic()).opcode == p.NOP_IN
            except socket.timeout:
                break
        self.assertGreaterEqual(probes, 2)
        self.assertEqual(session.ping(), b"ping")

    def test_peer_that_stopped_reading(self):
        """The buffers of the socket are full of Data-In, so a NOP-In cannot be sent."""
        session = self.session(receive_buffer=4096)
        for _ in range(32):
            session.start(cdb.read10(0, 2048), length=2048 * 512)
        time.sleep(8)
        with self.assertRaises((EOFError, OSError)):
            for _ in range(100000):
                session.connection.recv()


class Limits(DaemonCase):
    args = DaemonCase.args + ("--max-connections", "4")

    def test_connections(self):
        sessions = [self.session() for _ in range(4)]
        with self.assertRaises((EOFError, OSError, LoginError)):
            self.session(attention=True)
        for session in sessions:
            self.assertEqual(session.ping(), b"ping")
            session.logout()
            session.connection.close()
        time.sleep(0.3)


class Rejects(DaemonCase):
    """A Reject contains the reason and the header of the PDU that it refuses (11.17)."""

    def reason_for(self, pdu):
        """Sends the PDU that pdu(session) returns, and returns the reason of the Reject."""
        session = self.session()
        session.connection.send(pdu(session))
        reply = session.connection.recv()
        self.assertEqual(reply.opcode, p.REJECT)
        self.assertEqual(reply.itt, p.NO_TAG)
        self.assertEqual(len(reply.data), 48)
        session.connection.close()
        return reply.bhs[2]

    def test_unknown_opcode(self):
        for opcode in (0x07, 0x1C, 0x1F):
            self.assertIn(self.reason_for(lambda s: p.Pdu.make(opcode, immediate=True, itt=3, w24=s.cmdsn,
                                                           w28=s.expstatsn)), (0x04, 0x05, 0x09))

    def test_snack(self):
        """There is no SNACK at ErrorRecoveryLevel 0."""
        self.assertIn(self.reason_for(lambda s: p.Pdu.make(p.SNACK, itt=3, w28=s.expstatsn)), (0x03, 0x04, 0x05))

    def test_target_opcode_from_an_initiator(self):
        session = self.session()
        session.connection.send(p.Pdu.make(p.SCSI_RESPONSE, immediate=True, itt=3))
        try:
            self.assertEqual(session.connection.recv().opcode, p.REJECT)
        except EOFError:
            pass


if __name__ == "__main__":
    main()
