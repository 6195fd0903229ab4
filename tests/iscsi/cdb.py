# SPDX-License-Identifier: Apache-2.0
"""CDBs that the tests use (SPC-4 6, SBC-4 5), and sense codes that they expect, as (key, ASC, ASCQ)."""
import struct

POWER_ON = (6, 0x29, 0x00)
INVALID_OPCODE = (5, 0x20, 0x00)
INVALID_FIELD = (5, 0x24, 0x00)
OUT_OF_RANGE = (5, 0x21, 0x00)
NO_SUCH_LUN = (5, 0x25, 0x00)
WRITE_PROTECTED = (7, 0x27, 0x00)

GOOD, CHECK_CONDITION, BUSY, TASK_SET_FULL, TASK_ABORTED = 0x00, 0x02, 0x08, 0x28, 0x40

TEST_UNIT_READY = bytes(6)


def inquiry(page=None, length=255):
    return struct.pack(">BBBHB", 0x12, page is not None, page or 0, length, 0)


def read10(lba, blocks):
    return struct.pack(">BBIBHB", 0x28, 0, lba, 0, blocks, 0)


def write10(lba, blocks, fua=False):
    return struct.pack(">BBIBHB", 0x2A, 8 if fua else 0, lba, 0, blocks, 0)


def read16(lba, blocks):
    return struct.pack(">BBQIBB", 0x88, 0, lba, blocks, 0, 0)


def write16(lba, blocks):
    return struct.pack(">BBQIBB", 0x8A, 0, lba, blocks, 0, 0)


def compare_and_write(lba, blocks):
    return struct.pack(">BBQ3xBBB", 0x89, 0, lba, blocks, 0, 0)


def synchronize_cache():
    return struct.pack(">BBIBHB", 0x35, 0, 0, 0, 0, 0)


def read_capacity16(length=32):
    return struct.pack(">BBQIBB", 0x9E, 0x10, 0, length, 0, 0)


def report_luns(length=256):
    return struct.pack(">BBB3xIBB", 0xA0, 0, 0, length, 0, 0)


def mode_sense6(page, length=255):
    return struct.pack(">BBBBBB", 0x1A, 8, page, 0, length, 0)
