# SPDX-License-Identifier: Apache-2.0
"""What a logical unit reports about itself (SPC-4, SBC-4) is consistent, and agrees with what it does, for each
handler and block size."""
import os
import resource
import struct
import tempfile
import unittest

import cdb
from daemon import Daemon

MIB = 1 << 20
SIZE = 16 * MIB


def u16(data, at):
    return int.from_bytes(data[at:at + 2], "big")


def u32(data, at):
    return int.from_bytes(data[at:at + 4], "big")


def u64(data, at):
    return int.from_bytes(data[at:at + 8], "big")


def mode_sense10(page, subpage=0, control=0, dbd=False, llbaa=False, length=512):
    return struct.pack(">BBBB3xHB", 0x5A, dbd << 3 | llbaa << 4, control << 6 | page, subpage, length, 0)


def mode_select10(length):
    return struct.pack(">BB5xHB", 0x55, 0x10, length, 0)


def log_sense(page, subpage=0):
    return struct.pack(">BBBBBHHB", 0x4D, 0, 0x40 | page, subpage, 0, 0, 512, 0)


def supported_opcodes(timeouts=False):
    return struct.pack(">BBBBHIxB", 0xA3, 0x0C, timeouts << 7, 0, 0, 16384, 0)


def one_opcode(opcode, service_action=None):
    return struct.pack(">BBBBHIxB", 0xA3, 0x0C, 1 if service_action is None else 2, opcode, service_action or 0, 512, 0)


def unmap(ranges):
    descriptors = b"".join(struct.pack(">QI4x", lba, blocks) for lba, blocks in ranges)
    data = struct.pack(">HH4x", len(descriptors) + 6, len(descriptors)) + descriptors
    return struct.pack(">B6xHB", 0x42, len(data), 0), data


def write_same16(lba, blocks, flags=0):
    return struct.pack(">BBQIBB", 0x93, flags, lba, blocks, 0, 0)


def lba_status(lba, length=512):
    return struct.pack(">BBQIBB", 0x9E, 0x12, lba, length, 0, 0)


class Unit:
    """The tests of one kind of unit. Each test has a daemon and a session of its own."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="tcmur-device-")
        self.addCleanup(folder.cleanup)
        self.path = os.path.join(folder.name, "disk")
        self.daemon = Daemon("--export", f"{self.export()},size={SIZE},block_size={self.block},name=a")
        self.addCleanup(self.daemon.stop)
        self.session = self.open()

    def export(self):
        return f"file/{self.path},create" if self.handler == "file" else "alloc/disk"

    def open(self):
        session = self.daemon.session("a")
        self.addCleanup(session.connection.close)
        self.assertEqual(session.execute(cdb.TEST_UNIT_READY).key, cdb.POWER_ON)
        return session

    def data(self, command, length=16384, session=None):
        """Returns the Data-In of a command that must succeed."""
        return bytes((session or self.session).good(command, length=length))

    def refused(self, command, key, out=b"", length=None):
        task = self.session.execute(command, out, length)
        self.assertEqual((task.status, task.key), (cdb.CHECK_CONDITION, key))
        return task

    def page(self, code):
        page = self.data(cdb.inquiry(code, 4096))
        self.assertEqual((page[0], page[1], len(page)), (0, code, u16(page, 2) + 4))
        return page

    def test_inquiry(self):
        data = self.data(cdb.inquiry())
        self.assertEqual((len(data), data[4]), (96, 91))
        self.assertEqual(data[2:4] + data[5:8], bytes((6, 0x12, 0x10, 0, 2)))  # TPGS: implicit; 3PC is 0; CMDQUE is 1
        self.assertEqual(data[8:36], b"LIO-ORG TCMU device     0002")
        versions = [u16(data, at) for at in range(58, 74, 2)]
        for version in 0xA0, 0x460, 0x600, 0x960:  # SAM-5, SPC-4, SBC-4, iSCSI
            self.assertIn(version, versions)
        groups = self.data(struct.pack(">BB4xI2x", 0xA3, 0x0A, 255))
        # active/optimized, one port
        self.assertEqual(groups, struct.pack(">IBBHBBBBHH", 12, 0, 1, 1, 0, 0, 0, 1, 0, 1))
        self.assertIn(struct.pack(">BBBBHH", 0x51, 0x95, 0, 4, 0, 1), self.page(0x83))  # port group 1
        for length in 0, 1, 5, 36, 95, 96:
            self.assertEqual(self.data(cdb.inquiry(length=length)), data[:length])
        self.refused(struct.pack(">BBBHB", 0x12, 0, 0x83, 255, 0), cdb.INVALID_FIELD)
        absent = self.session.good(cdb.inquiry(), length=96, lun=5)
        self.assertEqual(absent[0], 0x7F)
        self.assertEqual(absent[8:36], b"LIO-ORG TCMU device     0002")
        task = self.session.execute(cdb.TEST_UNIT_READY, lun=5)
        self.assertEqual(task.key, cdb.NO_SUCH_LUN)

    def test_pages(self):
        codes = self.page(0)[4:]
        self.assertEqual(list(codes), sorted(codes))
        for code in range(256):
            if code in codes:
                self.page(code)
            else:
                self.refused(cdb.inquiry(code), cdb.INVALID_FIELD, length=255)

    def test_identification(self):
        page, at, found = self.page(0x83), 4, {}
        serial = self.page(0x80)[4:]
        while at < len(page):
            length = page[at + 3]
            found[page[at + 1] >> 4 & 3, page[at + 1] & 15] = page[at] & 15, page[at + 4:at + 4 + length]
            if page[at + 1] >> 4 & 3:  # PIV is set, and the protocol is iSCSI
                self.assertEqual((page[at] >> 4, page[at + 1] >> 7), (5, 1))
            at += 4 + length
        self.assertEqual(at, len(page))
        code, naa = found[0, 3]
        self.assertEqual((code, len(naa), naa[0] >> 4), (1, 16, 6))
        self.assertEqual(found[0, 1][1], b"LIO-ORG TCMU device:" + serial)
        for name in found[0, 8], found[1, 8], found[2, 8]:
            self.assertEqual((name[0], len(name[1]) % 4, name[1][-1]), (3, 0, 0))
        self.assertEqual(found[0, 8][1].rstrip(b"\0"), b"naa." + naa.hex().encode())
        self.assertEqual(found[2, 8][1].rstrip(b"\0"), self.session.target.encode())
        self.assertEqual(found[1, 8][1].rstrip(b"\0"), self.session.target.encode() + b",t,0x0001")
        self.assertEqual(found[1, 4], (1, bytes((0, 0, 0, 1))))
        self.assertEqual(found[1, 5], (1, bytes((0, 0, 0, 1))))

    def test_capacity_and_provisioning(self):
        long, limits, thin = self.data(cdb.read_capacity16()), self.page(0xB0), self.page(0xB2)
        blocks = SIZE // self.block
        self.assertEqual((u64(long, 0), u32(long, 8)), (blocks - 1, self.block))
        self.assertEqual(self.data(bytes((0x25,)) + bytes(9)), struct.pack(">II", blocks - 1, self.block))
        self.assertEqual(1 << (long[13] & 15), u16(limits, 6))  # OPTIMAL TRANSFER LENGTH GRANULARITY
        self.assertEqual(long[14] >> 6, 3)  # LBPME, LBPRZ
        self.assertEqual((thin[5], thin[6] & 7), (0xE4, 2))
        most = u32(limits, 8)
        self.data(cdb.read16(0, most), most * self.block)
        self.refused(cdb.read16(0, most + 1), cdb.INVALID_FIELD, length=self.block)
        self.refused(cdb.read16(blocks, 0), cdb.OUT_OF_RANGE)
        self.refused(cdb.read16(2 ** 64 - 1, 2), cdb.OUT_OF_RANGE, length=self.block)

    def test_unmapped_blocks(self):
        limits = self.page(0xB0)
        granule, descriptors = u32(limits, 28), u32(limits, 24)
        pattern = b"\xa5" * self.block
        self.session.good(cdb.write16(0, 4 * granule), pattern * 4 * granule)
        before = self.usage()
        self.session.good(*unmap([(granule, granule), (3 * granule, 0), (2 * granule, granule)]))
        self.assertEqual(self.data(cdb.read16(granule, 2 * granule)), bytes(2 * granule * self.block))
        self.assertEqual(self.data(cdb.read16(0, 1)), pattern)
        status = self.data(lba_status(0))
        self.assertEqual([(u64(status, at), u32(status, at + 8), status[at + 12]) for at in range(8, 56, 16)],
                         [(0, granule, 0), (granule, 2 * granule, 1), (3 * granule, granule, 0)])
        after = self.usage()
        self.assertEqual(before[2] - after[2], 2 * granule)
        self.session.good(*unmap([(i, 0) for i in range(descriptors)]))
        command, data = unmap([(0, 0)] * (descriptors + 1))
        self.refused(command, (5, 0x26, 0), data)
        # WRITE SAME: NDOB, UNMAP; ANCHOR is not supported
        self.session.good(write_same16(0, 1, 0x01))
        self.session.good(write_same16(3 * granule, granule, 0x08), bytes(self.block))
        self.assertEqual(self.data(cdb.read16(0, 4 * granule))[:self.block], bytes(self.block))
        self.assertEqual(self.data(lba_status(3 * granule))[20], 1)
        self.refused(write_same16(0, 1, 0x18), cdb.INVALID_FIELD, bytes(self.block))

    def usage(self):
        """Returns the available (1) and used (2) blocks of the Logical Block Provisioning log page."""
        page = self.data(log_sense(0x0C))
        self.assertEqual((page[0], u16(page, 2) + 4), (0x8C, len(page)))  # the DS bit is set
        counts = {u16(page, at): u32(page, at + 4) for at in range(4, len(page), 12)}
        self.assertEqual(set(counts), {1, 2})
        self.assertLessEqual(sum(counts.values()), SIZE // self.block)
        return counts

    def test_log_pages(self):
        codes = self.data(log_sense(0))[4:]
        self.assertEqual(list(codes), [0x00, 0x0C, 0x2F])
        for code in range(64):
            if code in codes:
                self.assertEqual(self.data(log_sense(code))[0] & 0x3F, code)
            else:
                self.refused(log_sense(code), cdb.INVALID_FIELD, length=512)

    def test_opcodes(self):
        """An opcode that is listed is not refused as unknown, and one that is refused as unknown is not listed."""
        data, known, at = self.data(supported_opcodes()), set(), 4
        while at < len(data):
            known.add((data[at], u16(data, at + 2) if data[at + 5] & 1 else None, u16(data, at + 6)))
            at += 8
        self.assertEqual(u32(data, 0) + 4, len(data))
        for opcode, action, length in known:
            one = self.data(one_opcode(opcode, action))
            self.assertEqual((one[1] & 7, u16(one, 2), one[4]), (3, length, opcode))
            # one field of the CDB is wrong
            task = self.session.execute(bytes((opcode, (action or 0) | 0xE0)).ljust(length, b"\0"))
            self.assertNotEqual(task.key, cdb.INVALID_OPCODE)
        opcodes = {opcode for opcode, _, _ in known}
        for opcode in set(range(256)) - opcodes:
            self.refused(bytes((opcode,)).ljust(16, b"\0"), cdb.INVALID_OPCODE)

    def test_mode_pages(self):
        for command, head in ((cdb.mode_sense6(0x3F), 4), (mode_sense10(0x3F, dbd=True), 8),
                              (mode_sense10(0x3F), 16), (mode_sense10(0x3F, llbaa=True), 24)):
            data = self.data(command)
            self.assertEqual(data[0] + 1 if command[0] == 0x1A else u16(data, 0) + 2, len(data))
            at, codes = head, []
            while at < len(data):
                codes.append(data[at])
                at += data[at + 1] + 2
            self.assertEqual((at, codes), (len(data), [0x01, 0x02, 0x08, 0x0A, 0x1C]))
        blocks = SIZE // self.block
        self.assertEqual(self.data(mode_sense10(8))[8:16], struct.pack(">II", blocks, self.block))
        self.assertEqual(self.data(mode_sense10(8, llbaa=True))[8:24], struct.pack(">Q4xI", blocks, self.block))
        self.refused(mode_sense10(8, control=3), (5, 0x39, 0), length=512)
        for length in 0, 1, 3, 8, 20:
            self.assertEqual(len(self.data(mode_sense10(0x3F, length=length))), length)

    def test_mode_select(self):
        other = self.open()
        mask = self.data(mode_sense10(0x0A, control=1, dbd=True))
        page = bytearray(self.data(mode_sense10(0x0A, dbd=True)))
        page[0:4] = bytes(4)
        page[8 + 2] |= 0x04  # D_SENSE
        page[8 + 4] |= 0x08  # SWP
        self.assertEqual((mask[8 + 2], mask[8 + 4]), (0x04, 0x08))
        self.session.good(mode_select10(len(page)), bytes(page))
        task = self.refused(cdb.write10(0, 1), cdb.WRITE_PROTECTED, bytes(self.block))
        self.assertEqual(task.sense[0], 0x72)
        self.assertEqual(self.data(mode_sense10(8))[3] & 0x80, 0x80)  # WP
        self.assertEqual(other.execute(cdb.TEST_UNIT_READY).key, (6, 0x2A, 0x01))
        other.good(cdb.TEST_UNIT_READY)
        page[8 + 3] ^= 0x10  # this field cannot be changed
        self.refused(mode_select10(len(page)), (5, 0x26, 0), bytes(page))

    def test_descriptor_information(self):
        """INFORMATION has 32 bits in fixed sense data and 64 bits in descriptors. After a miscompare it is an
        offset."""
        pattern = bytes(self.block)
        self.session.good(cdb.write16(7, 1), pattern)
        wrong = pattern[:-1] + b"\1"
        command = struct.pack(">BBQ3xBBB", 0x89, 0, 7, 1, 0, 0)
        task = self.refused(command, (0xE, 0x1D, 0), wrong + pattern)
        self.assertEqual((task.sense[0], u32(task.sense, 3)), (0xF0, self.block - 1))


class File512(Unit, unittest.TestCase):
    handler, block = "file", 512

    def test_full_storage(self):
        """A limit on the file's size takes the place of a full file system."""
        resource.prlimit(self.daemon.process.pid, resource.RLIMIT_FSIZE, (MIB, MIB))
        self.session.good(cdb.write16(0, 1), bytes(512))
        self.refused(cdb.write16(MIB // 512, 1), (7, 0x27, 0x07), bytes(512))
        self.session.good(cdb.write16(1, 1), bytes(512))


class File4096(Unit, unittest.TestCase):
    handler, block = "file", 4096


class Alloc512(Unit, unittest.TestCase):
    handler, block = "alloc", 512


class Alloc4096(Unit, unittest.TestCase):
    handler, block = "alloc", 4096


unittest.main()
