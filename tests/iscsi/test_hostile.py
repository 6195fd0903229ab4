# SPDX-License-Identifier: Apache-2.0
"""Peers that break the protocol: they send each opcode with wrong lengths and fields, and valid streams with flipped
bits. The daemon must ignore or reject such PDUs, and must serve a well-behaved session all the time. The test prints
the seed of its random numbers; set TCMUR_SEED to the seed to repeat a failure."""
import os
import random
import socket
import struct

import cdb
import iscsi_pdu as p
from case import DaemonCase, main
from initiator import Connection

SEED = int(os.environ.get("TCMUR_SEED") or random.SystemRandom().randrange(1 << 32))
ROUNDS = int(os.environ.get("TCMUR_ROUNDS", "300"))
INITIATOR_OPCODES = (p.NOP_OUT, p.SCSI_COMMAND, p.TASK_MANAGEMENT, p.LOGIN, p.TEXT, p.DATA_OUT, p.LOGOUT, p.SNACK)


class HostileCase(DaemonCase):
    def setUp(self):
        self.random = random.Random(SEED)
        self.healthy_session = self.session()

    def tearDown(self):
        """The session that was opened before the attack still works, and so does a new one."""
        while (self.healthy_session.execute(cdb.TEST_UNIT_READY).key or (0,))[0] == 6:
            pass  # unit attentions are expected, because a flipped bit may turn an abort into a reset
        self.healthy_session.good(cdb.TEST_UNIT_READY)
        super().tearDown()

    def send(self, stream, keys=None):
        """Sends bytes in a new session, and reads the answers until the target sends no more or closes the connection."""
        session = self.session(keys=keys)
        self.send_on(session.connection, stream)

    def send_on(self, connection, stream):
        try:
            connection.send_bytes(stream)
            connection.socket.shutdown(socket.SHUT_WR)
            connection.wait_closed()
        except OSError:
            pass
        connection.close()


class Lengths(HostileCase):
    def each_opcode(self, change):
        for opcode in INITIATOR_OPCODES:
            for immediate in (False, True):
                pdu = p.Pdu.make(opcode, immediate=immediate, itt=9, w20=p.NO_TAG, w24=2, w28=1)
                change(pdu)
                with self.subTest(opcode=hex(opcode), immediate=immediate):
                    self.send(pdu.encode() + bytes(64))

    def test_data_segment_beyond_all_limits(self):
        for length in (262145, 0xFFFFFF):
            self.each_opcode(lambda pdu, n=length: setattr(pdu, "data_len", n))

    def test_data_segment_that_never_comes(self):
        self.each_opcode(lambda pdu: setattr(pdu, "data_len", 4096))

    def test_data_where_none_belongs(self):
        self.each_opcode(lambda pdu: setattr(pdu, "data", b"d" * 100))

    def test_headers_where_none_belong(self):
        self.each_opcode(lambda pdu: setattr(pdu, "ahs", bytes(40)))

    def test_headers_that_never_come(self):
        self.each_opcode(lambda pdu: setattr(pdu, "total_ahs", 255))

    def test_expected_length_beyond_all_memory(self):
        """The daemon does not allocate memory for Data-Out only because an initiator announces it."""
        for length in (0x7FFFFFFF, 0xFFFFFFFF, 0xFFFFFE00):
            for flags in (p.WRITE, p.READ, p.READ | p.WRITE):
                for request in (cdb.write10(0, 65535), cdb.write16(0, 0xFFFFFFFF), cdb.read16(0, 0xFFFFFFFF)):
                    self.send(p.command(request, 9, 2, 1, length=length, flags=p.FINAL | flags | 1).encode())

    def test_malformed_text(self):
        for text in (b"\0" * 1000, b"=" * 1000, b"SendTargets", b"SendTargets=All", b"\xff" * 4000, b"A=" + b"b" * 7000):
            self.send(p.Pdu.make(p.TEXT, itt=9, data=text, w20=p.NO_TAG, w24=2, w28=1).encode())

    def test_text_that_never_ends(self):
        session = self.session()
        stream = b"".join(p.Pdu.make(p.TEXT, 0x40, True, itt=9, data=b"y" * 8000, w20=p.NO_TAG, w24=session.cmdsn,
                                     w28=1).encode() for _ in range(100))
        self.send_on(session.connection, stream)

    def test_all_luns(self):
        """Each form of a LUN (SAM-5 4.7), known or not, is answered."""
        session = self.session()
        for lun in (b"\x00\x01" + bytes(6), b"\x40\x01" + bytes(6), b"\x80\x00" + bytes(6), b"\xc1\x01" + bytes(6),
                    b"\xff" * 8, b"\x01\x00" + bytes(6), b"\x00\x00\x00\x01" + bytes(4)):
            task = session.execute(cdb.TEST_UNIT_READY, lun=lun)
            self.assertEqual((task.status, task.key), (cdb.CHECK_CONDITION, cdb.NO_SUCH_LUN), lun.hex())
            data = session.good(cdb.inquiry(), length=255, lun=lun)
            self.assertEqual(data[0], 0x7F, "peripheral qualifier of an unknown LUN (SPC-4 6.6.2)")

    def test_every_operation_code(self):
        """All 256 opcodes, and each service action of some, with and without data: no hang and no crash."""
        session = self.session()
        for opcode in range(256):
            for tail in (bytes(15), b"\xff" * 15):
                # FORMAT UNIT and START STOP UNIT would change the disk for the other tests
                if opcode in (0x04, 0x1B):
                    continue
                session.execute(bytes([opcode]) + tail, length=4096)
                session.execute(bytes([opcode]) + tail, b"\xff" * 512)


class BitFlips(HostileCase):
    """Flips some bits in valid requests of a session, with and without digests that are computed afterwards."""

    def stream(self):
        pdus = [p.command(cdb.read10(0, 8), 10, 2, 1, length=4096, flags=p.FINAL | p.READ | 1),
                p.command(cdb.write10(8, 2), 11, 3, 1, length=1024, flags=p.FINAL | p.WRITE | 1, data=bytes(1024)),
                p.command(cdb.write10(64, 32), 12, 4, 1, length=16384, flags=p.FINAL | p.WRITE | 1),
                p.data_out(12, 1, 0, 0, bytes(2048), True, 1),
                p.Pdu.make(p.NOP_OUT, immediate=True, itt=13, data=b"ping", w20=p.NO_TAG, w24=5, w28=1),
                p.Pdu.make(p.TASK_MANAGEMENT, p.FINAL | p.ABORT_TASK, True, 0, 14, w20=12, w24=5, w28=1, w32=4),
                p.Pdu.make(p.TEXT, itt=15, data=p.encode_keys({"SendTargets": ""}), w20=p.NO_TAG, w24=5, w28=1),
                p.Pdu.make(p.LOGOUT, immediate=True, itt=16, w24=6, w28=1)]
        return pdus

    def flip(self, data, count):
        data = bytearray(data)
        for _ in range(count):
            data[self.random.randrange(len(data))] ^= 1 << self.random.randrange(8)
        return bytes(data)

    def test_headers(self):
        for _ in range(ROUNDS):
            pdus = self.stream()
            for pdu in self.random.sample(pdus, 2):
                pdu.bhs[:] = self.flip(pdu.bhs, self.random.randint(1, 3))
            digests = self.random.choice((True, False))
            keys = {"HeaderDigest": "CRC32C", "DataDigest": "CRC32C"} if digests else {}
            self.send(b"".join(pdu.encode(digests, digests) for pdu in pdus), keys)

    def test_stream(self):
        for _ in range(ROUNDS):
            stream = b"".join(pdu.encode() for pdu in self.stream())
            self.send(self.flip(stream[:self.random.randrange(48, len(stream))], self.random.randint(1, 8)))

    def test_login(self):
        keys = self.healthy_session.names() | self.healthy_session.asked
        for _ in range(ROUNDS):
            stream = p.login(p.encode_keys(keys), p.FINAL | 1 << 2 | 3, b"\x80abcde").encode()
            stream += p.command(cdb.inquiry(), 10, 0, 1, length=255, flags=p.FINAL | p.READ | 1).encode()
            connection = Connection(self.daemon.address)
            self.send_on(connection, self.flip(stream, self.random.randint(1, 6)))

    def test_shuffled(self):
        """Sends valid PDUs in any order and any number of times."""
        for _ in range(ROUNDS):
            pdus = [self.random.choice(self.stream()) for _ in range(12)]
            for pdu in pdus:
                if self.random.random() < 0.5:
                    struct.pack_into(">I", pdu.bhs, 24, self.random.randrange(1, 8))
            self.send(b"".join(pdu.encode() for pdu in pdus))

    def test_random_cdbs(self):
        """Any CDB in a valid header ends with a status."""
        session = self.session()
        for _ in range(ROUNDS * 10):
            request = bytes([self.random.choice((0x28, 0x2A, 0x88, 0x8A, 0x12, 0x1A, 0x5A, 0x15, 0x55, 0x9E, 0x9F, 0xA0,
                                                 0xA3, 0x41, 0x42, 0x93, 0x89, 0x2E, 0x2F, 0x8F, 0x35, 0x4D, 0x5E, 0x5F))])
            request += bytes(self.random.choice((0, 0, 0, 1, 0xFF, self.random.randrange(256))) for _ in range(15))
            if self.random.random() < 0.5:
                session.execute(request, length=self.random.choice((0, 8, 512, 70000)))
            else:
                session.execute(request, self.random.randbytes(self.random.choice((8, 512, 70000))))


class AnnouncedData(DaemonCase):
    """It costs an initiator nothing to announce large data segments and then to send none of them."""
    args = ("--export", "alloc/a,size=64M,name=a", "--threads", "1")

    def test_others_are_served(self):
        segment, sessions = 262144, []
        for _ in range(140):  # 128 of the segments are as much memory as all requests of a loop may take.
            session = self.session()
            pdu = p.Pdu.make(p.NOP_OUT, immediate=True, itt=1, data=b"x", w20=p.NO_TAG, w24=session.cmdsn,
                             w28=session.expstatsn)
            pdu.data_len = segment
            session.connection.send(pdu)
            sessions.append(session)
        with self.session() as session:
            session.ping(bytes(16384))
            session.text({"SendTargets": ""})
        with self.daemon.discovery() as discovery:
            self.assertIn("TargetName", dict(discovery.text({"SendTargets": "All"})))
        for session in sessions:
            session.connection.close()


if __name__ == "__main__":
    print(f"TCMUR_SEED={SEED}", flush=True)
    main()
