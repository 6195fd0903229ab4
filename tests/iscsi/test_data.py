# SPDX-License-Identifier: Apache-2.0
"""Transfer of data (RFC 7143 4.2.4.2, 11.7, 11.8): each way in which a write may send its data, residuals, and
wrong Data-Out."""
import itertools
import os
import random
import struct

import cdb
import iscsi_pdu as p
from case import DaemonCase, main
from initiator import Task

BLOCK = 512
SIZES = (1, 2, 7, 8, 9, 63, 128, 129, 1000, 2048)  # in blocks


class Combinations(DaemonCase):
    """The initiator checks the burst, segment and R2T limits for each PDU of these tests."""

    def exercise(self, keys, sizes=SIZES):
        session = self.session(keys=keys)
        for blocks in sizes:
            data = os.urandom(blocks * BLOCK)
            lba = random.randrange(0, 1000)
            session.good(cdb.write10(lba, blocks), data)
            self.assertEqual(session.good(cdb.read10(lba, blocks), length=len(data)), data, f"{keys} {blocks} blocks")
        session.logout()

    def test_write_modes(self):
        bursts = (("512", "512"), ("4096", "16384"), ("65536", "262144"), ("262144", "262144"), ("1000", "2000"))
        for immediate, r2t, (first, burst), outstanding in itertools.product(
                ("Yes", "No"), ("Yes", "No"), bursts, ("1", "4")):
            keys = {"ImmediateData": immediate, "InitialR2T": r2t, "FirstBurstLength": first,
                    "MaxBurstLength": burst, "MaxOutstandingR2T": outstanding}
            with self.subTest(**keys):
                self.exercise(keys, (1, 9, 129, 600))

    def test_digests(self):
        for header, data, immediate, r2t in itertools.product(("None", "CRC32C"), ("None", "CRC32C"),
                                                              ("Yes", "No"), ("Yes", "No")):
            keys = {"HeaderDigest": header, "DataDigest": data, "ImmediateData": immediate, "InitialR2T": r2t}
            with self.subTest(**keys):
                self.exercise(keys)

    def test_small_segments(self):
        """Data-In comes in pieces of our MaxRecvDataSegmentLength, even if this is not a multiple of the block or
        of 4."""
        for segment in ("512", "513", "1000", "8192", "16777215"):
            for digest in ("None", "CRC32C"):
                self.exercise({"MaxRecvDataSegmentLength": segment, "DataDigest": digest, "MaxBurstLength": "65536"})

    def test_pipelined_writes(self):
        """Commands that wait for solicited data do not delay others, and each ends with its own data."""
        session = self.session(keys={"ImmediateData": "No", "InitialR2T": "Yes", "MaxOutstandingR2T": "4",
                                     "MaxBurstLength": "8192"})
        blocks = [os.urandom(32768) for _ in range(16)]
        tasks = [session.start(cdb.write10(i * 64, 64), data) for i, data in enumerate(blocks)]
        for task in reversed(tasks):
            self.assertEqual(session.finish(task).status, cdb.GOOD)
        for i, data in enumerate(blocks):
            self.assertEqual(session.good(cdb.read10(i * 64, 64), length=32768), data)

    def test_many_small_pdus_in_one_segment(self):
        session = self.session()
        pdus = [p.command(cdb.read10(i, 1), 1000 + i, session.take_cmdsn(), session.expstatsn,
                          flags=p.FINAL | p.READ | p.SIMPLE, length=BLOCK) for i in range(20)]
        for pdu in pdus:
            session.tasks[pdu.itt] = Task(pdu.itt, b"", b"", BLOCK, 0, False)
        tasks = list(session.tasks.values())
        session.connection.send(*pdus)
        for task in tasks:
            self.assertEqual(session.finish(task).status, cdb.GOOD)

    def test_pdu_in_single_bytes(self):
        """The stream may be split at any place."""
        session = self.session(keys={"HeaderDigest": "CRC32C", "DataDigest": "CRC32C"})
        data = os.urandom(BLOCK)
        pdu = p.command(cdb.write10(5, 1), 77, session.take_cmdsn(), session.expstatsn,
                        flags=p.FINAL | p.WRITE | p.SIMPLE, length=BLOCK, data=data)
        task = session.tasks[77] = Task(77, b"", data, BLOCK, 0, False)
        for byte in pdu.encode(True, True):
            session.connection.send_bytes(bytes([byte]))
        self.assertEqual(session.finish(task).status, cdb.GOOD)
        self.assertEqual(session.good(cdb.read10(5, 1), length=BLOCK), data)

    def test_slow_reader(self):
        """A peer that does not read its Data-In delays only itself."""
        slow = self.session(receive_buffer=4096)
        tasks = [slow.start(cdb.read10(0, 2048), length=2048 * BLOCK) for _ in range(8)]
        self.assert_serving()
        for task in tasks:
            self.assertEqual(len(slow.finish(task).data), 2048 * BLOCK)


WRITE_AND_VERIFY = struct.pack(">BBIBHB", 0x2E, 0, 20, 0, 2, 0)
VERIFY_BYTES = struct.pack(">BBIBHB", 0x2F, 0x02, 20, 0, 2, 0)  # BYTCHK = 1


class Residuals(DaemonCase):
    """RFC 7143 11.4.5: the difference between the length of the CDB and the Expected Data Transfer Length."""

    def check(self, task, overflow, underflow, residual):
        self.assertEqual(task.status, cdb.GOOD, task.key)
        self.assertEqual((task.overflow, task.underflow, task.residual), (overflow, underflow, residual))

    def test_read_exact(self):
        self.check(self.session().execute(cdb.read10(0, 2), length=1024), False, False, 0)

    def test_read_underflow(self):
        session = self.session()
        for read in (cdb.read10, cdb.read16):
            task = session.execute(read(0, 1), length=2000)
            self.check(task, False, True, 2000 - BLOCK)
            self.assertEqual(len(task.data), BLOCK)

    def test_read_overflow(self):
        session = self.session()
        for length in (1, 4, 511, 512, 700, 1023):
            task = session.execute(cdb.read10(0, 2), length=length)
            self.check(task, True, False, 1024 - length)
            self.assertEqual(len(task.data), length)

    def test_read_without_room(self):
        task = self.session().execute(cdb.read10(0, 2), length=0)
        self.check(task, True, False, 1024)

    def test_zero_blocks(self):
        task = self.session().execute(cdb.read10(0, 0), length=BLOCK)
        self.check(task, False, True, BLOCK)

    def test_write_underflow(self):
        session = self.session()
        data = os.urandom(2 * BLOCK)
        self.check(session.execute(cdb.write10(9, 1), data), False, True, BLOCK)
        self.assertEqual(session.good(cdb.read10(9, 1), length=BLOCK), data[:BLOCK])

    def test_write_underflow_solicited(self):
        """The target does not ask for the rest of the data."""
        session = self.session(keys={"ImmediateData": "No", "InitialR2T": "Yes"})
        data = os.urandom(64 * BLOCK)
        self.check(session.execute(cdb.write10(9, 1), data), False, True, 63 * BLOCK)
        self.assertEqual(session.good(cdb.read10(9, 1), length=BLOCK), data[:BLOCK])

    def refused(self, task, key, overflow, underflow, residual):
        self.assertEqual((task.status, task.key), (cdb.CHECK_CONDITION, key))
        self.assertEqual((task.overflow, task.underflow, task.residual), (overflow, underflow, residual))

    def test_write_overflow(self):
        """There is not enough Data-Out: nothing is written, and the status is not GOOD."""
        for keys in ({}, {"ImmediateData": "No", "InitialR2T": "Yes"}):
            session = self.session(keys=keys)
            before = session.good(cdb.read10(20, 2), length=2 * BLOCK)
            for length in (200, BLOCK, 2 * BLOCK - 1):
                task = session.execute(cdb.write10(20, 2), os.urandom(length))
                self.refused(task, (5, 0x0E, 3), True, False, 2 * BLOCK - length)
                task = session.execute(WRITE_AND_VERIFY, os.urandom(length))
                self.refused(task, (5, 0x0E, 3), True, False, 2 * BLOCK - length)
            self.assertEqual(session.good(cdb.read10(20, 2), length=2 * BLOCK), before)

    def test_write_without_data(self):
        for command in (cdb.write10(20, 2), WRITE_AND_VERIFY, VERIFY_BYTES):
            task = self.session().execute(command, length=0)
            self.refused(task, (5, 0x0E, 3), True, False, 2 * BLOCK)

    def test_wrong_direction(self):
        """The R flag is set in the PDU of a command that writes or compares."""
        session = self.session()
        before = session.good(cdb.read10(20, 2), length=2 * BLOCK)
        for command in (cdb.write10(20, 2), WRITE_AND_VERIFY, VERIFY_BYTES):
            task = session.execute(command, length=2 * BLOCK)
            self.refused(task, (5, 0x24, 0), False, True, 2 * BLOCK)
            self.assertEqual(task.data, b"")
        self.assertEqual(session.good(cdb.read10(20, 2), length=2 * BLOCK), before)

    def test_command_without_data(self):
        task = self.session().execute(cdb.TEST_UNIT_READY, length=512)
        self.check(task, False, True, 512)
        task = self.session().execute(cdb.TEST_UNIT_READY, b"x" * 512)
        self.check(task, False, True, 512)

    def test_inquiry_allocation_length(self):
        task = self.session().execute(cdb.inquiry(length=5), length=255)
        self.assertEqual(len(task.data), 5)
        self.check(task, False, True, 250)

    def test_residual_with_check_condition(self):
        """A command that fails moves no data, so the residual is the whole length."""
        task = self.session().execute(cdb.read10(0xFFFFFFF0, 1), length=BLOCK)
        self.assertEqual((task.status, task.key), (cdb.CHECK_CONDITION, cdb.OUT_OF_RANGE))
        self.assertEqual((task.underflow, task.residual), (True, BLOCK))


class AdditionalHeaders(DaemonCase):
    def test_extended_cdb(self):
        """A 32-byte CDB is parsed, and accepted or refused by its opcode."""
        for digest in ("None", "CRC32C"):
            session = self.session(keys={"HeaderDigest": digest})
            task = session.execute(struct.pack(">BBBBBBBBH", 0x7F, 0, 0, 0, 0, 0, 0, 24, 0x1234).ljust(32, b"\0"))
            self.assertEqual(task.status, cdb.CHECK_CONDITION)
            self.assertEqual(task.key[0], 5)

    def odd(self, ahs, **fields):
        """The target must execute the command, reject it or close the connection. It must not hang."""
        session = self.session()
        pdu = p.command(cdb.TEST_UNIT_READY, 900, session.cmdsn, session.expstatsn)
        pdu.ahs = ahs
        for name, value in fields.items():
            setattr(pdu, name, value)
        session.connection.send(pdu)
        try:
            self.assertIn(session.connection.recv().opcode, (p.SCSI_RESPONSE, p.REJECT))
        except EOFError:
            pass

    def test_unknown_type(self):
        self.odd(struct.pack(">HBB4x", 5, 0x3F, 0))

    def test_bidirectional(self):
        self.odd(struct.pack(">HBBI", 5, 2, 0, 512))

    def test_lying_lengths(self):
        self.odd(struct.pack(">HBB4x", 0xFFFF, 1, 0))
        self.odd(struct.pack(">HBB4x", 0, 1, 0))
        self.odd(struct.pack(">HBB4x", 2, 1, 0))

    def test_longest(self):
        self.odd(struct.pack(">HBB", 1017, 1, 0) + bytes(1016))


class BadDataOut(DaemonCase):
    """At ErrorRecoveryLevel 0, wrong data ends the task or the connection (7.9), and never with GOOD."""

    def setUp(self):
        self.before = os.urandom(32 * BLOCK)
        self.session().good(cdb.write10(0, 32), self.before)

    def start(self, keys=None, blocks=32):
        """Starts a write and waits for its first R2T."""
        keys = {"ImmediateData": "No", "InitialR2T": "Yes", "MaxBurstLength": "8192"} | (keys or {})
        session = self.session(keys=keys)
        task = session.start(cdb.write10(0, blocks), os.urandom(blocks * BLOCK), manual=True)
        while not task.r2ts:
            session.receive()
        return session, task, task.r2ts[0]

    def not_good(self, session, task, rejected=False):
        """Fails if the task ends with GOOD, or does not end. With rejected, a Reject must be the only answer (the
        whole command is refused, or a digest is wrong). Otherwise a Reject would be a second answer, at which
        initiators end the session. Before the target answers, it waits for the data of each R2T that it has sent,
        so an R2T that was sent before the wrong PDU arrived is answered here."""
        try:
            while True:
                pdu = session.connection.recv()
                if pdu.opcode == p.R2T:
                    session.connection.send(p.data_out(task.itt, pdu.ttt, 0, pdu.word(40), bytes(pdu.word(44)), True,
                                                       session.expstatsn))
                if pdu.opcode == p.SCSI_RESPONSE and pdu.itt == task.itt:
                    self.assertNotEqual((pdu.bhs[2], pdu.bhs[3]), (0, 0), "GOOD for data that were not right")
                    return
                if pdu.opcode == p.REJECT:
                    self.assertTrue(rejected, "the command was answered twice")
                    return
        except (EOFError, ConnectionError):
            pass

    def data_out(self, session, task, r2t, **changes):
        fields = {"itt": task.itt, "ttt": r2t.ttt, "datasn": 0, "offset": r2t.word(40),
                  "data": task.out[:r2t.word(44)], "final": True, "expstatsn": session.expstatsn} | changes
        return p.data_out(**fields)

    def wrong(self, **changes):
        session, task, r2t = self.start()
        session.connection.send(self.data_out(session, task, r2t, **changes))
        self.not_good(session, task)

    def test_datasn_ahead(self):
        self.wrong(datasn=1)

    def test_datasn_repeated(self):
        session, task, r2t = self.start()
        half = r2t.word(44) // 2
        session.connection.send(self.data_out(session, task, r2t, data=task.out[:half], final=False),
                                self.data_out(session, task, r2t, data=task.out[half:2 * half], offset=half))
        self.not_good(session, task)

    def test_offset_outside(self):
        self.wrong(offset=512)
        self.wrong(offset=0xFFFFFE00)

    def test_more_than_asked(self):
        self.wrong(data=bytes(8192 + 512))
        self.wrong(data=bytes(8192 + 4))

    def test_less_than_asked(self):
        self.wrong(data=bytes(4096))
        self.wrong(data=b"")

    def test_unknown_transfer_tag(self):
        session, task, r2t = self.start()
        session.connection.send(self.data_out(session, task, r2t, ttt=r2t.ttt ^ 0x5A5A5A5A))
        self.not_good(session, task)

    def test_no_final_bit(self):
        session, task, r2t = self.start()
        session.connection.send(self.data_out(session, task, r2t, final=False),
                                self.data_out(session, task, r2t, datasn=1, offset=8192, data=bytes(8192)))
        self.not_good(session, task)

    def test_segment_over_the_limit(self):
        """One PDU carries more than the target's MaxRecvDataSegmentLength."""
        session, task, r2t = self.start()
        pdu = self.data_out(session, task, r2t, data=b"")
        pdu.data_len = min(session.segment + 4, 0xFFFFFF)
        session.connection.send(pdu)
        self.not_good(session, task)

    def test_unknown_task(self):
        """Data-Out for a task that has ended is ignored or rejected; the session may continue (4.2.4.2)."""
        session = self.session()
        session.connection.send(p.data_out(0x4242, 7, 0, 0, bytes(512), True, session.expstatsn))
        try:
            session.ping()
        except (EOFError, AssertionError):
            pass

    def test_unsolicited_where_not_allowed(self):
        """The command waits for the data of an R2T that the target has sent, and fails then."""
        session, task, r2t = self.start()
        session.connection.send(self.data_out(session, task, r2t, ttt=p.NO_TAG), self.data_out(session, task, r2t))
        self.not_good(session, task)

    def test_unsolicited_before_the_r2t(self):
        """The data arrives in one piece with the command, before the target sends an R2T."""
        session = self.session(keys={"ImmediateData": "No", "InitialR2T": "Yes"})
        with session.connection.corked():
            task = session.start(cdb.write10(0, 8), bytes(4096), manual=True)
            session.connection.send(p.data_out(task.itt, p.NO_TAG, 0, 0, bytes(4096), True, session.expstatsn))
        self.not_good(session, task)

    def test_immediate_data_where_not_allowed(self):
        session = self.session(keys={"ImmediateData": "No"})
        session.connection.send(p.command(cdb.write10(0, 1), 500, session.cmdsn, session.expstatsn, length=BLOCK,
                                          flags=p.FINAL | p.WRITE | p.SIMPLE, data=bytes(BLOCK)))
        self.not_good(session, Task(500, b"", b"", BLOCK, 0, False), rejected=True)

    def test_first_burst_exceeded(self):
        session = self.session(keys={"FirstBurstLength": "1024"})
        session.connection.send(p.command(cdb.write10(0, 8), 500, session.cmdsn, session.expstatsn, length=4096,
                                          flags=p.FINAL | p.WRITE | p.SIMPLE, data=bytes(4096)))
        self.not_good(session, Task(500, b"", b"", 4096, 0, False), rejected=True)

    def test_immediate_data_over_expected_length(self):
        session = self.session()
        session.connection.send(p.command(cdb.write10(0, 1), 500, session.cmdsn, session.expstatsn, length=BLOCK,
                                          flags=p.FINAL | p.WRITE | p.SIMPLE, data=bytes(4 * BLOCK)))
        self.not_good(session, Task(500, b"", b"", BLOCK, 0, False), rejected=True)

    def test_data_digest_error(self):
        """Data with a wrong CRC is never written to the medium (7.8)."""
        session, task, r2t = self.start({"DataDigest": "CRC32C"})
        stream = bytearray(self.data_out(session, task, r2t).encode(False, True))
        stream[100] ^= 1
        session.connection.send_bytes(stream)
        self.not_good(session, task, rejected=True)
        session.connection.close()
        self.assertEqual(self.session().good(cdb.read10(0, 16), length=8192), self.before[:8192])

    def test_immediate_data_digest_error(self):
        session = self.session(keys={"DataDigest": "CRC32C"})
        pdu = p.command(cdb.write10(0, 1), 500, session.cmdsn, session.expstatsn, length=BLOCK,
                        flags=p.FINAL | p.WRITE | p.SIMPLE, data=bytes(BLOCK))
        stream = bytearray(pdu.encode(False, True))
        stream[-1] ^= 1
        session.connection.send_bytes(stream)
        self.not_good(session, Task(500, b"", b"", BLOCK, 0, False), rejected=True)
        session.connection.close()
        self.assertEqual(self.session().good(cdb.read10(0, 1), length=BLOCK), self.before[:BLOCK])

    def test_header_digest_error(self):
        """Nothing in such a PDU can be trusted, so at level 0 the connection ends (7.8)."""
        session = self.session(keys={"HeaderDigest": "CRC32C"})
        stream = bytearray(p.command(cdb.TEST_UNIT_READY, 500, session.cmdsn, session.expstatsn).encode(True))
        stream[20] ^= 1
        session.connection.send_bytes(stream)
        self.assertTrue(session.connection.wait_closed())


class BlockSize4096(DaemonCase):
    args = ("--export", "alloc/a,size=64M,name=a,block_size=4096")

    def test_write_and_read(self):
        session = self.session(keys={"MaxBurstLength": "16384", "FirstBurstLength": "512"})
        for blocks in (1, 3, 64):
            data = os.urandom(blocks * 4096)
            session.good(cdb.write16(7, blocks), data)
            self.assertEqual(session.good(cdb.read16(7, blocks), length=len(data)), data)


if __name__ == "__main__":
    main()
