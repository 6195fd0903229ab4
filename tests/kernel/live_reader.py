# SPDX-License-Identifier: Apache-2.0
"""The disks of live_initiator_guest.sh, whose blocks say which disk they belong to.

live_reader.py mark IMAGE SERIAL MIB    writes IMAGE: each block has the NAA name that a disk with this serial number has
live_reader.py check DISK...            checks that each block of DISK has the NAA name that DISK reports
live_reader.py read FLAG DISK...        reads and compares until the file FLAG exists; no other program may use the disks.
                                        FLAG.reading is created as soon as each DISK has been read, and FLAG.swapped
                                        as soon as each DISK has been seen to lead to two different disks

"read" asks for the NAA name only at the beginning and after an error. The blocks that a READ returns must therefore have
the name of the previous disk: a LUN that leads to another disk must report this with an error before it returns data."""
import ctypes
import fcntl
import os
import pathlib
import random
import sys
import uuid

BLOCK, SECTOR = 4096, 512
SG_IO, FROM_DEVICE, TIMEOUT_MS = 0x2285, -3, 600000


class SgIo(ctypes.Structure):
    _fields_ = [("interface_id", ctypes.c_int), ("direction", ctypes.c_int), ("cmd_len", ctypes.c_ubyte),
                ("sense_max", ctypes.c_ubyte), ("iovec_count", ctypes.c_ushort), ("data_len", ctypes.c_uint),
                ("data", ctypes.c_void_p), ("cdb", ctypes.c_void_p), ("sense", ctypes.c_void_p),
                ("timeout", ctypes.c_uint), ("flags", ctypes.c_uint), ("pack_id", ctypes.c_int),
                ("usr_ptr", ctypes.c_void_p), ("status", ctypes.c_ubyte), ("masked_status", ctypes.c_ubyte),
                ("msg_status", ctypes.c_ubyte), ("sense_len", ctypes.c_ubyte), ("host_status", ctypes.c_ushort),
                ("driver_status", ctypes.c_ushort), ("resid", ctypes.c_int), ("duration", ctypes.c_uint),
                ("info", ctypes.c_uint)]


class Disk:
    def __init__(self, path):
        self.path, self.fd, self.name = path, os.open(path, os.O_RDWR | os.O_NONBLOCK), None
        self.reads, self.reasons, self.names = 0, {}, []
        self.blocks = int(open(f"/sys/block/{os.path.basename(path)}/size", encoding="ascii").read()) * SECTOR // BLOCK

    def execute(self, cdb, length):
        """Returns the data, or None after an error, whose sense key and additional sense code are counted."""
        data, sense = ctypes.create_string_buffer(length), ctypes.create_string_buffer(32)
        command = (ctypes.c_ubyte * len(cdb))(*cdb)
        header = SgIo(interface_id=ord("S"), direction=FROM_DEVICE, cmd_len=len(cdb), sense_max=len(sense),
                      data_len=length, data=ctypes.addressof(data), cdb=ctypes.addressof(command),
                      sense=ctypes.addressof(sense), timeout=TIMEOUT_MS)
        fcntl.ioctl(self.fd, SG_IO, header)
        if not header.status and not header.host_status:
            return data.raw[:length - header.resid]
        raw = sense.raw
        reason = f"{raw[2] & 15:x}/{raw[12]:02x}/{raw[13]:02x}" if header.sense_len else f"status {header.status:#x}"
        self.reasons[reason] = self.reasons.get(reason, 0) + 1
        return None

    def ask_name(self):
        """Returns the NAA name of VPD page 83h (SPC-4 7.8.6), or None if there is no disk now."""
        page = self.execute([0x12, 1, 0x83, 0, 255, 0], 255)
        if page is None or page[0]:
            return None
        at = 4
        while at + 4 <= len(page):
            if page[at + 1] & 0x3f == 3:
                name = page[at + 4:at + 4 + page[at + 3]].hex()
                if name not in self.names:
                    self.names.append(name)
                return name
            at += 4 + page[at + 3]
        sys.exit(f"{self.path} has no NAA name")

    def read_block(self, block):
        sectors = BLOCK // SECTOR
        return self.execute([0x28, 0, *(block * sectors).to_bytes(4, "big"), 0, 0, sectors, 0], BLOCK)

    def read_and_compare(self):
        self.name = self.name or self.ask_name()
        if not self.name:
            return
        block = random.randrange(self.blocks)
        data = self.read_block(block)
        if data is None:
            self.name = None
        elif data != marked(self.name, block):
            sys.exit(f"{self.path} was {self.name}, and a READ of block {block} gives {data[:48]}")
        else:
            self.reads += 1


def name_of(serial):
    """Returns LIO's NAA name for a serial number that has the form of a UUID."""
    return "6001405" + uuid.UUID(serial).hex[:25]


def marked(name, block):
    line = f"{name} {block:15d}".encode()
    return line * (BLOCK // len(line)) + bytes(BLOCK % len(line))


def mark(image, serial, mib):
    with open(image, "wb") as file:
        for block in range(int(mib) * (1 << 20) // BLOCK):
            file.write(marked(name_of(serial), block))


def check(paths):
    for path in paths:
        disk = Disk(path)
        name = disk.ask_name() or sys.exit(f"{path} is not a disk")
        with open(path, "rb") as file:
            for block in range(disk.blocks):
                if file.read(BLOCK) != marked(name, block):
                    sys.exit(f"block {block} of {path}, which is {name}, has other data")


def read(flag, paths):
    disks, events = [Disk(path) for path in paths], {"reading": 1, "swapped": 2}
    while not os.path.exists(flag):
        for disk in disks:
            disk.read_and_compare()
        for event in [event for event, count in events.items()
                      if all(disk.reads and len(disk.names) >= count for disk in disks)]:
            pathlib.Path(f"{flag}.{event}").touch()
            del events[event]
    for disk in disks:
        print(f"{disk.path}: {disk.reads} reads of {len(disk.names)} disks, errors {disk.reasons}")
        if not disk.reads or len(disk.names) < 2:
            sys.exit(f"{disk.path} has seen only {disk.names}")


if sys.argv[1] == "mark":
    mark(*sys.argv[2:])
elif sys.argv[1] == "check":
    check(sys.argv[2:])
else:
    read(sys.argv[2], sys.argv[3:])
