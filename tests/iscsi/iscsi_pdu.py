# SPDX-License-Identifier: Apache-2.0
"""Converts iSCSI PDUs (RFC 7143 11) to bytes and back. It does not check whether they are legal, because tests also
build illegal ones."""
import ctypes
import ctypes.util
import struct

NOP_OUT, SCSI_COMMAND, TASK_MANAGEMENT, LOGIN, TEXT, DATA_OUT, LOGOUT, SNACK = 0, 1, 2, 3, 4, 5, 6, 0x10
NOP_IN, SCSI_RESPONSE, TASK_RESPONSE, LOGIN_RESPONSE, TEXT_RESPONSE = 0x20, 0x21, 0x22, 0x23, 0x24
DATA_IN, LOGOUT_RESPONSE, R2T, ASYNC_MESSAGE, REJECT = 0x25, 0x26, 0x31, 0x32, 0x3F

FINAL = 0x80
READ, WRITE = 0x40, 0x20  # SCSI Command flags (11.3.1)
SIMPLE, ORDERED, HEAD_OF_QUEUE, ACA = 1, 2, 3, 4
NO_TAG = 0xFFFFFFFF

# Task management functions (11.5.1) and responses (11.6.1)
ABORT_TASK, ABORT_TASK_SET, CLEAR_ACA, CLEAR_TASK_SET, LUN_RESET, WARM_RESET, COLD_RESET, REASSIGN = range(1, 9)
TMF_COMPLETE, TMF_NO_TASK, TMF_NO_LUN, TMF_NO_REASSIGN, TMF_NOT_SUPPORTED, TMF_REJECTED = 0, 1, 2, 4, 5, 255


def _crc_table():
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = (byte >> 1) ^ (0x82F63B78 if byte & 1 else 0)
        table.append(byte)
    return table


_TABLE = _crc_table()


def crc32c_plain(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc = _TABLE[(crc ^ byte) & 0xFF] ^ (crc >> 8)
    return crc ^ 0xFFFFFFFF


def _crc32c_fast():
    """Uses ISA-L if it is installed, because megabytes with DataDigest would take seconds in Python."""
    name = ctypes.util.find_library("isal")
    if not name:
        return crc32c_plain
    function = ctypes.CDLL(name).crc32_iscsi
    function.argtypes = [ctypes.c_char_p, ctypes.c_int, ctypes.c_uint32]
    function.restype = ctypes.c_uint32
    return lambda data: function(bytes(data), len(data), 0xFFFFFFFF) ^ 0xFFFFFFFF


crc32c = _crc32c_fast()


def lun_bytes(lun):
    """SAM-5 4.7: single level, with peripheral device addressing for numbers below 256."""
    return bytes(lun) if isinstance(lun, (bytes, bytearray)) else struct.pack(">H6x", lun)


class Pdu:
    """A PDU with its header, additional header segments and data segment. encode() fills in the lengths in the
    header, unless the test has set wrong ones (total_ahs, data_len)."""

    def __init__(self, bhs=bytes(48), ahs=b"", data=b"", total_ahs=None, data_len=None):
        self.bhs, self.ahs, self.data = bytearray(bhs), ahs, data
        self.total_ahs, self.data_len = total_ahs, data_len

    @classmethod
    def make(cls, opcode, flags=FINAL, immediate=False, lun=0, itt=NO_TAG, data=b"", ahs=b"", **words):
        """words: values of 32-bit header fields; the name "w16" means the field at byte offset 16."""
        bhs = bytearray(48)
        bhs[0] = opcode | (0x40 if immediate else 0)
        bhs[1] = flags
        bhs[8:16] = lun_bytes(lun)
        struct.pack_into(">I", bhs, 16, itt)
        for name, value in words.items():
            struct.pack_into(">I", bhs, int(name[1:]), value & 0xFFFFFFFF)
        return cls(bhs, ahs, data)

    opcode = property(lambda self: self.bhs[0] & 0x3F)
    flags = property(lambda self: self.bhs[1])
    final = property(lambda self: bool(self.bhs[1] & FINAL))
    lun = property(lambda self: bytes(self.bhs[8:16]))
    itt = property(lambda self: self.word(16))
    ttt = property(lambda self: self.word(20))
    statsn = property(lambda self: self.word(24))
    expcmdsn = property(lambda self: self.word(28))
    maxcmdsn = property(lambda self: self.word(32))

    def word(self, offset):
        return struct.unpack_from(">I", self.bhs, offset)[0]

    def encode(self, header_digest=False, data_digest=False):
        bhs = bytearray(self.bhs)
        bhs[4] = len(self.ahs) // 4 if self.total_ahs is None else self.total_ahs
        bhs[5:8] = struct.pack(">I", len(self.data) if self.data_len is None else self.data_len)[1:]
        out = bytes(bhs) + self.ahs
        if header_digest:
            out += struct.pack("<I", crc32c(out))
        if self.data:
            padded = self.data + bytes(-len(self.data) % 4)
            out += padded
            if data_digest:
                out += struct.pack("<I", crc32c(padded))
        return out

    def __repr__(self):
        return f"<PDU {self.opcode:#x} flags={self.flags:#x} itt={self.itt:#x} data={len(self.data)}>"


def command(cdb, itt, cmdsn, expstatsn, lun=0, flags=FINAL | SIMPLE, length=0, data=b"", immediate=False):
    """SCSI Command (11.3). A CDB of more than 16 bytes continues in an Extended CDB AHS (11.2.2.3)."""
    ahs = b""
    if len(cdb) > 16:
        rest = cdb[16:]
        ahs = struct.pack(">HBB", len(rest) + 1, 1, 0) + rest + bytes(-len(rest) % 4)
    pdu = Pdu.make(SCSI_COMMAND, flags, immediate, lun, itt, data, ahs, w20=length, w24=cmdsn, w28=expstatsn)
    pdu.bhs[32:48] = cdb[:16].ljust(16, b"\0")
    return pdu


def data_out(itt, ttt, datasn, offset, data, final, expstatsn, lun=0):
    return Pdu.make(DATA_OUT, FINAL if final else 0, False, lun, itt, data,
                    w20=ttt, w28=expstatsn, w36=datasn, w40=offset)


def login(data, flags, isid, tsih=0, itt=0, cid=0, cmdsn=0, expstatsn=0, versions=(0, 0)):
    pdu = Pdu.make(LOGIN, flags, True, itt=itt, data=data, w24=cmdsn, w28=expstatsn)
    pdu.bhs[2:4] = bytes(versions)
    pdu.bhs[8:16] = isid + struct.pack(">H", tsih)
    struct.pack_into(">H", pdu.bhs, 20, cid)
    return pdu


def encode_keys(keys):
    """keys is a dict, or a list of pairs if a key must appear twice."""
    pairs = keys.items() if isinstance(keys, dict) else keys
    return b"".join(f"{key}={value}".encode() + b"\0" for key, value in pairs)


def decode_keys(data):
    """If a key appears several times, the last value is used. TargetAddress and TargetName are repeated in answers
    to SendTargets, for which split_keys is used."""
    return dict(split_keys(data))


def split_keys(data):
    return [tuple(item.decode().split("=", 1)) for item in data.split(b"\0") if item]
