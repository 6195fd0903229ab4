#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Runs in the guest of tcmu.sh. Each contestant has one backstore, which is a LUN over iSCSI loopback and a LUN
over tcm_loop. All backstores use the same file in memory; ramdisk and alloc use as much memory instead. fio runs on
the contestants alternately, in short slices."""
import argparse
import glob
import os
import re
import signal
import statistics
import subprocess
import sys
import time

CONFIGFS = "/sys/kernel/config/target"
CPU = "/mnt/cpu"  # guest_cpu.py writes this folder.
DISK = "/dev/shm/disk"
SIZE = 96 << 20
IQN = "iqn.2026-11.test:bench"
PORTAL = "127.0.0.1:3260"
NAA = "naa.6001405be7c40001"
INITIATOR_NAA = "naa.6001405be7c40002"
SLICES = 10  # The number of slices of each contestant in one round.
SETTLE, SLICE = 0.03, 0.2
CASES = [(f"{direction} {size}k QD{depth}", direction, size, depth, quick)
         for direction, size, depth, quick in (
             ("randread", 4, 1, True), ("randwrite", 4, 1, False), ("randread", 4, 32, True),
             ("randwrite", 4, 32, True), ("read", 128, 8, True), ("write", 128, 8, False))]


def write(path, text):
    with open(path, "w", encoding="ascii") as file:
        file.write(text)


def read(path):
    with open(path, encoding="ascii") as file:
        return file.read().strip()


def wait_for(what, found, seconds=20):
    """Calls found() until its result is true, and returns this result."""
    end = time.monotonic() + seconds
    while True:
        result = found()
        if result:
            return result
        if time.monotonic() > end:
            raise SystemExit(f"no {what} within {seconds} s")
        time.sleep(0.1)


def run(*command):
    result = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    if result.returncode:
        raise SystemExit(f"{' '.join(command)}: {result.stdout}{result.stderr}")
    return result.stdout


class Daemon:
    """A process that serves rings. Each daemon has a D-Bus of its own, because two daemons need the same name on
    the bus."""

    def __init__(self, name, command):
        self.log = f"/tmp/{name}.log"
        bus = run("dbus-daemon", "--session", "--fork", "--print-address").strip()
        with open(self.log, "wb") as log:
            # pylint: disable-next=consider-using-with
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            env={**os.environ, "DBUS_SYSTEM_BUS_ADDRESS": bus})

    def serves(self, device):
        """Tells whether this process has opened the device."""
        if self.process.poll() is not None:
            with open(self.log, encoding="utf-8", errors="replace") as log:
                raise SystemExit(f"{self.process.args[0]} ended:\n{log.read()}")
        return any(os.path.realpath(link) == device for link in glob.glob(f"/proc/{self.process.pid}/fd/*"))

    def cpu_seconds(self):
        """Returns the CPU time of all threads."""
        fields = read(f"/proc/{self.process.pid}/stat").rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Contestant:
    """A backstore in the kernel's configfs, and the program that serves it."""

    def __init__(self, name, hba, control):
        self.name = name
        self.daemon = None  # None means that the kernel serves this backstore without a daemon.
        self.folder = f"{CONFIGFS}/core/{hba}/{name}"
        os.makedirs(self.folder)
        self.disks = {}  # The name of the disk for each fabric.
        write(f"{self.folder}/control", control)
        write(f"{self.folder}/wwn/vpd_unit_serial", f"bench-{self.name}")
        write(f"{self.folder}/enable", "1")

    def counters(self, fabric):
        """Returns the seconds of the clock, the sectors moved, and the CPU seconds of the daemon and of the whole guest."""
        fields = [int(field) for field in read(f"/sys/block/{self.disks[fabric]}/stat").split()]
        return (time.monotonic(), fields[2] + fields[6], self.daemon.cpu_seconds() if self.daemon else 0,
                int(os.listdir(CPU)[0]) / 1e9)

    def start_load(self, fabric, case):
        """Starts fio on the disk and stops the process at once; slice() lets it run."""
        _, direction, size, depth, _ = case
        before = self.counters(fabric)
        # pylint: disable-next=consider-using-with
        fio = subprocess.Popen(("fio", "--name=bench", f"--filename=/dev/{self.disks[fabric]}", "--direct=1",
                                "--thread", "--ioengine=libaio", f"--rw={direction}", f"--bs={size}k",
                                f"--iodepth={depth}", "--norandommap", "--randrepeat=0", "--gtod_reduce=1",
                                "--time_based", "--runtime=3600"), stdout=subprocess.DEVNULL)
        wait_for("I/O", lambda: self.counters(fabric)[1] > before[1])
        fio.send_signal(signal.SIGSTOP)
        return fio

    def slice(self, fabric, fio):
        """Lets the load run for one slice and returns by how much the counters have advanced."""
        fio.send_signal(signal.SIGCONT)
        time.sleep(SETTLE)
        before = self.counters(fabric)
        time.sleep(SLICE)
        after = self.counters(fabric)
        fio.send_signal(signal.SIGSTOP)
        return [b - a for a, b in zip(before, after)]


def measure(contestants, fabric, case, rounds):
    """Returns, for each contestant and each round, the IOPS per second of the clock and per second of the guest's
    CPU time, and the daemon's microseconds of CPU time per command. A round consists of many short slices of all
    contestants in turn, so that all of them meet the same state of the machine."""
    loads = [contestant.start_load(fabric, case) for contestant in contestants]
    runs = {contestant.name: [] for contestant in contestants}
    for _ in range(rounds):
        sums = {contestant.name: [0] * 4 for contestant in contestants}
        for _ in range(SLICES):
            for contestant, load in zip(contestants, loads):
                sums[contestant.name] = list(map(sum, zip(sums[contestant.name], contestant.slice(fabric, load))))
        for name, (clock, sectors, daemon, guest) in sums.items():
            commands = max(1, sectors / 2 / case[2])
            runs[name].append({"clock": commands / clock, "guest": commands / max(0.01, guest),
                               "daemon_us": daemon * 1e6 / commands})
    for load in loads:
        load.kill()
        load.wait()
    return runs


def user_device(name, hba, config):
    """Makes a TCMU device. The kernel must not wait for answers to its events (nl_reply_supported), because no
    daemon may be running yet, or two."""
    return Contestant(name, hba, f"dev_config={config},dev_size={SIZE},hw_block_size=512,hw_max_sectors=2048,"
                      "nl_reply_supported=-1")


def uio_of(contestant):
    """Returns the contestant's UIO device below /dev."""
    for path in glob.glob("/sys/class/uio/uio*/name"):
        if f"/{contestant.name}/" in read(path):
            return f"/dev/{path.split('/')[4]}"
    return None


def start_contestants():
    """Makes the devices first and then starts the daemons, which adopt the devices that they find."""
    fileio = Contestant("fileio", "fileio_0", f"fd_dev_name={DISK},fd_dev_size={SIZE},fd_buffered_io=1")
    ramdisk = Contestant("ramdisk", "rd_mcp_0", f"rd_pages={SIZE // 4096}")
    limit = user_device("limit", "user_0", "limit/")
    served = {"limit": ([limit], [OPTIONS.limit, wait_for("uio device", lambda: uio_of(limit)), DISK])}
    if "debian" not in OPTIONS.without:
        served["debian"] = ([user_device("debian", "user_1", f"qcow/{DISK}")],
                            ["/usr/bin/tcmu-runner", "--tcmu-log-dir", "/tmp"])
    if "ours" not in OPTIONS.without:
        served["ours"] = ([user_device("file", "user_2", f"file/{DISK}"), user_device("alloc", "user_3", "alloc/disk")],
                          [OPTIONS.daemon, "--handler-path", OPTIONS.handlers])
    for name, (contestants, command) in served.items():
        daemon = Daemon(name, command)
        for contestant in contestants:
            contestant.daemon = daemon
            wait_for(f"daemon that opens {contestant.name}", lambda it=contestant: it.daemon.serves(uio_of(it)))
    return [fileio, ramdisk, *(one for contestants, _ in served.values() for one in contestants)]


def link_lun(portal_group, number, contestant):
    folder = f"{portal_group}/lun/lun_{number}"
    os.mkdir(folder)
    os.symlink(contestant.folder, f"{folder}/backstore")


def scsi_disk(device):
    """Waits until the block device has appeared, and returns its name."""
    return wait_for(f"disk below {device}", lambda: [os.path.basename(p) for p in glob.glob(f"{device}/block/sd*")])[0]


def over_loop(contestants):
    group = f"{CONFIGFS}/loopback/{NAA}/tpgt_1"
    os.makedirs(group)
    write(f"{group}/nexus", INITIATOR_NAA)
    for number, contestant in enumerate(contestants):
        link_lun(group, number, contestant)
    host = next(path.split("/")[4].removeprefix("host") for path in glob.glob("/sys/class/scsi_host/*/proc_name")
                if read(path) == "tcm_loopback")
    for number, contestant in enumerate(contestants):
        contestant.disks["tcm_loop"] = scsi_disk(f"/sys/bus/scsi/devices/{host}:0:1:{number}")


def over_iscsi(contestants):
    group = f"{CONFIGFS}/iscsi/{IQN}/tpgt_1"
    os.makedirs(group)
    os.mkdir(f"{group}/np/{PORTAL}")
    for attribute, value in (("authentication", 0), ("generate_node_acls", 1), ("cache_dynamic_acls", 1),
                             ("demo_mode_write_protect", 0)):
        write(f"{group}/attrib/{attribute}", str(value))
    for number, contestant in enumerate(contestants):
        link_lun(group, number, contestant)
    write(f"{group}/enable", "1")
    os.makedirs("/etc/iscsi", exist_ok=True)
    os.makedirs("/run/lock/iscsi", exist_ok=True)
    write("/etc/iscsi/initiatorname.iscsi", "InitiatorName=iqn.2026-11.test:initiator\n")
    run("iscsid")
    wait_for("iscsid", lambda: "ISCSIADM_ABSTRACT" in read("/proc/net/unix"))
    run("iscsiadm", "-m", "discovery", "-t", "sendtargets", "-p", PORTAL, "--login")
    pattern = "/sys/class/iscsi_session/session*/device/target*/*:0:0:"
    for number, contestant in enumerate(contestants):
        device = wait_for(f"LUN {number}", lambda number=number: glob.glob(f"{pattern}{number}"))[0]
        contestant.disks["iscsi"] = scsi_disk(device)


def fill(contestants):
    """Writes each disk once from start to end, so that no page is used for the first time during the measurement."""
    for contestant in contestants:
        for disk in contestant.disks.values():
            run("dd", "if=/dev/zero", f"of=/dev/{disk}", "bs=1M", f"count={SIZE >> 20}", "oflag=direct")


def versus(runs, name, base, time_base):
    """Returns the ratio of a contestant's IOPS to those of another one in the same round: the median and the
    spread."""
    ratios = [a[time_base] / b[time_base] for a, b in zip(runs[name], runs[base])]
    return f"{statistics.median(ratios):5.2f} ({min(ratios):.2f}-{max(ratios):.2f})"


def report(fabric, case, contestants, runs):
    for contestant in contestants:
        name = contestant.name
        middle = {key: statistics.median(one[key] for one in runs[name]) for key in ("clock", "guest", "daemon_us")}
        daemon = f"{middle['daemon_us']:7.1f}" if contestant.daemon else "      -"
        print(f"{fabric:9}{case[0]:20}{name:8}" + "  ".join(
            f"{middle[base]:8.0f} {versus(runs, name, 'fileio', base)} {versus(runs, name, 'limit', base)}"
            for base in ("clock", "guest")), daemon, flush=True)


def main():
    for module in ("configfs", "target_core_mod", "target_core_file", "target_core_user", "iscsi_target_mod",
                   "tcm_loop", "iscsi_tcp", "sd_mod"):
        run("bash", "-c", f"modprobe {module}")
    if not os.path.isdir(CONFIGFS):
        run("mount", "-t", "configfs", "configfs", "/sys/kernel/config")
    with open(DISK, "wb") as file:
        for _ in range(SIZE >> 20):
            file.write(bytes(1 << 20))
    os.mkdir(CPU)
    run("mount", "-r", "-t", "hostfs", "-o", OPTIONS.cpu, "hostfs", CPU)
    contestants = start_contestants()
    over_loop(contestants)
    over_iscsi(contestants)
    fill(contestants)
    columns = "".join(f"{title:>10} {'/fileio':>7}{'':12}{'/limit':>6}{'':10}" for title in ("IOPS", "IOPS by CPU"))
    print(f"{'':35}{columns} us/command")
    for fabric in ("iscsi", "tcm_loop"):
        for case in CASES:
            if re.search(OPTIONS.case, f"{fabric} {case[0]}") and (case[-1] or not OPTIONS.quick):
                report(fabric, case, contestants, measure(contestants, fabric, case, OPTIONS.rounds))


if __name__ == "__main__":
    PARSER = argparse.ArgumentParser(description=__doc__)
    for option in ("--daemon", "--handlers", "--limit", "--cpu"):
        PARSER.add_argument(option, required=True)
    PARSER.add_argument("--quick", action="store_true", help="fewer cases")
    PARSER.add_argument("--case", default="", help="the cases that match this expression")
    PARSER.add_argument("--rounds", type=int, default=3)
    PARSER.add_argument("--without", action="append", default=[], choices=("debian", "ours"))
    OPTIONS = PARSER.parse_args()
    sys.exit(main())
