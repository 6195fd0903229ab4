# SPDX-License-Identifier: Apache-2.0
"""outage_writer.py DISK FLAG: writes and reads blocks of DISK until the file FLAG exists, and records for each
block which contents are possible. A write that failed may or may not have been executed. But after a read has returned
the data of a write, or after a newer write has been acknowledged, no read may return older data. The program fails if
a read returns contents that are not possible. It counts failed reads and writes."""
import mmap
import os
import random
import struct
import sys
import threading
import time

BLOCK = 4096
THREADS, BLOCKS = 8, 6  # The number of threads, and of blocks that each thread uses. A thread does one I/O at a time.
HEAD = struct.Struct("<QQ")  # The number of the block, and the serial number of the write.


class Writer(threading.Thread):
    def __init__(self, number, fd, flag):
        super().__init__(daemon=True)
        self.fd, self.flag, self.random = fd, flag, random.Random(number)
        self.buffer = mmap.mmap(-1, BLOCK)  # aligned memory, as O_DIRECT needs it
        # For each block its possible serial numbers. None: the block was never written.
        self.possible = {number * BLOCKS + i: None for i in range(BLOCKS)}
        self.serial = self.reads = self.writes = self.errors = 0
        self.wrong = None

    def run(self):
        while not os.path.exists(self.flag) and not self.wrong:
            block = self.random.choice(list(self.possible))
            if self.possible[block] is None or self.random.random() < 0.5:
                self.write(block)
            else:
                self.read(block)
            time.sleep(0.01)
        for block, serials in self.possible.items():
            if serials is not None and not self.wrong:
                self.read(block)

    def write(self, block):
        self.serial += 1
        self.buffer[:] = (HEAD.pack(block, self.serial) * (BLOCK // HEAD.size))
        try:
            done = os.pwritev(self.fd, [self.buffer], block * BLOCK)
            assert done == BLOCK
            self.possible[block] = {self.serial}
            self.writes += 1
        except OSError:
            # The contents before the first write are not known.
            if self.possible[block] is not None:
                self.possible[block].add(self.serial)
            self.errors += 1

    def read(self, block):
        try:
            done = os.preadv(self.fd, [self.buffer], block * BLOCK)
            assert done == BLOCK
        except OSError:
            self.errors += 1
            return
        self.reads += 1
        heads = set(HEAD.iter_unpack(self.buffer[:]))
        serials = {serial for found, serial in heads if found == block}
        if len(heads) != 1 or not serials <= self.possible[block]:
            self.wrong = f"block {block}: read {sorted(heads)}, possible are the serials {sorted(self.possible[block])}"
        self.possible[block] = serials


def main():
    disk, flag = sys.argv[1:]
    fd = os.open(disk, os.O_RDWR | os.O_DIRECT)
    writers = [Writer(i, fd, flag) for i in range(THREADS)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    for name in "reads", "writes", "errors":
        print(name, sum(getattr(writer, name) for writer in writers))
    wrong = [writer.wrong for writer in writers if writer.wrong]
    print("\n".join(wrong) or "every read returned possible contents")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
