# SPDX-License-Identifier: Apache-2.0
"""rounds.py COUNT NUMBER CONFIG...: creates the device user_NUMBER/round and removes it, COUNT times, each time
with the next CONFIG. Every twentieth device becomes a disk of tcm_loop and is written to. All this happens in one
process, because in a guest a new process takes longer than a round. With COUNT 0, the rounds continue until the
file /tmp/stop exists, and errors of the kernel are ignored if the device can be removed; this is used while a
daemon is killed."""
import glob
import mmap
import os
import sys
import time

TREE = "/sys/kernel/config/target"
TPG = f"{TREE}/loopback/naa.5001405000000001/tpgt_1"  # guest_lib.sh uses the same TPG
DISK_EVERY = 20


def write(path, text):
    fd = os.open(path, os.O_WRONLY)
    try:
        os.write(fd, text.encode())
    finally:
        os.close(fd)


def open_disk(lun):
    with open(f"{TPG}/address", encoding="ascii") as file:
        address = file.read().strip()
    for _ in range(500):
        found = glob.glob(f"/sys/class/scsi_device/{address}:{lun}/device/block/*")
        try:
            return os.open("/dev/" + os.path.basename(found[0]), os.O_RDWR | os.O_DIRECT)
        except (IndexError, OSError):  # the disk does not exist yet, or is not ready yet
            time.sleep(0.01)
    sys.exit(f"no disk at LUN {lun}")


def use(device, lun):
    folder = f"{TPG}/lun/lun_{lun}"
    os.mkdir(folder)
    os.symlink(device, f"{folder}/link")
    fd = open_disk(lun)
    with mmap.mmap(-1, 65536) as buffer:
        buffer[:] = os.urandom(len(buffer))
        written = buffer[:]
        os.pwritev(fd, [buffer], 0)
        buffer[:] = bytes(len(buffer))
        os.preadv(fd, [buffer], 0)
        if buffer[:] != written:
            sys.exit("read something else than was written")
    os.close(fd)
    os.remove(f"{folder}/link")
    os.rmdir(folder)


class Rounds:
    def __init__(self, number):
        self.device = f"{TREE}/core/user_{number}/round"
        self.lun = number
        os.makedirs(os.path.dirname(self.device), exist_ok=True)

    def run(self, config, disk):
        os.mkdir(self.device)
        write(f"{self.device}/control", f"dev_config={config},dev_size={1 << 20}")
        write(f"{self.device}/enable", "1")
        if disk:
            use(self.device, self.lun)
        os.rmdir(self.device)

    def run_ignoring_errors(self, config):
        try:
            self.run(config, False)
            return True
        except OSError as error:
            print(error, file=sys.stderr)
        os.rmdir(self.device)
        return False


def main():
    count, number, configs = int(sys.argv[1]), sys.argv[2], sys.argv[3:]
    rounds = Rounds(number)
    if count:
        for i in range(1, count + 1):
            rounds.run(configs[i % len(configs)], i % DISK_EVERY == 0)
        return
    answers = []
    while not os.path.exists("/tmp/stop"):
        answers.append(rounds.run_ignoring_errors(configs[len(answers) % len(configs)]))
    print(sum(answers), "done,", len(answers) - sum(answers), "refused")


main()
