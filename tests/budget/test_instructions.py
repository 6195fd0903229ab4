# SPDX-License-Identifier: Apache-2.0
"""The budget of a READ and of a WRITE, measured from outside: the event loop runs instruction by instruction
(step.c).

One turn makes one system call for receiving, one for sending and one for the ring, however many commands it serves.
A command executes no atomic read-modify-write instruction. A turn executes such instructions to fall asleep and to
wake up, and glibc 2.36 executes two on a word of the thread itself in each system call that is a cancellation
point. (Raw system calls would avoid these, but would hide from the sanitizers what the kernel writes.)"""
import bisect
import collections
import os
import signal
import subprocess
import sys
import time
import unittest

import cdb
import fast_path
from daemon import Daemon
from fast_path import READ, WRITE

STEPPER = os.environ["TCMUR_STEPPER"]
NAMES = {46: "sendmsg", 47: "recvmsg", 327: "preadv2", 328: "pwritev2", 332: "statx", 426: "io_uring_enter"}  # x86-64
CANCELLATION_POINTS = ("sendmsg", "recvmsg", "preadv2", "pwritev2")
ASLEEP = {"mailbox_fall_asleep", "mailbox_wake_up"}
A_TURN = ("recvmsg", "sendmsg", "io_uring_enter")
# Without this, the first call of a library's function looks the function up and takes a lock.
NOW = {"LD_BIND_NOW": "1"}
# A step costs tens of microseconds, so a few turns with a few commands must show what a turn and a command cost.
ROUNDS = 2
DEPTHS = (1, 8)
TRIES = 3  # test_calls.py explains why one try is not enough.
BLOCKS = 1  # A string instruction is one step for each byte that it moves.


class Symbols:
    """Finds the names of addresses in a running process."""

    def __init__(self, pid):
        self.modules, self.tables = [], {}
        with open(f"/proc/{pid}/maps", encoding="utf-8") as maps:
            for line in maps:
                span, _, offset, _, _, *path = line.split()
                if path and path[0].startswith("/"):
                    begin, end = (int(x, 16) for x in span.split("-"))
                    base = begin if int(offset, 16) == 0 else self.modules[-1][2]
                    self.modules.append((begin, end, base, path[0]))

    def table(self, path):
        if path not in self.tables:
            output = subprocess.run(["nm", "--defined-only", path], capture_output=True, text=True, check=False).stdout
            rows = (line.split() for line in output.splitlines())
            self.tables[path] = sorted((int(row[0], 16), row[2]) for row in rows if row[1] in "tTwWiV")
        return self.tables[path]

    def name(self, address):
        """Returns the function's name, or "libc", because Debian's libc has no names of its internal functions."""
        for begin, end, base, path in self.modules:
            if begin <= address < end:
                if os.path.basename(path).startswith("libc.so"):
                    return "libc"
                table = self.table(path)
                at = bisect.bisect(table, (address - base, "~")) - 1
                return table[at][1] if at >= 0 else f"{os.path.basename(path)}+{address - base:#x}"
        return f"{address:#x}"


class Stepped:
    """Runs a thread instruction by instruction (step.c), from one moment at which the thread sleeps to the next one."""

    def __init__(self, pid, tid):
        self.stat = f"/proc/{pid}/task/{tid}/stat"
        self.symbols = Symbols(pid)
        self.stepper = subprocess.Popen([STEPPER, str(tid)], stdout=subprocess.PIPE, text=True)

    def wait_asleep(self):
        """Waits until the thread has been asleep in a system call for a while, and not only between two steps."""
        deadline, quiet = time.monotonic() + 60, 0
        while quiet < 20:
            if self.stepper.poll() == 77:
                raise unittest.SkipTest("no ptrace here")
            assert self.stepper.poll() is None and time.monotonic() < deadline, "the loop does not fall asleep"
            with open(self.stat, encoding="utf-8") as stat:
                quiet = quiet + 1 if stat.read().rsplit(")", 1)[1].split()[0] == "S" else 0
            time.sleep(0.005)

    def restart(self):
        self.wait_asleep()
        self.stepper.send_signal(signal.SIGUSR1)
        time.sleep(0.05)

    def finish(self):
        """Returns the counts since restart(): steps, system calls by name, and atomic instructions by function."""
        self.wait_asleep()
        while self.stepper.poll() is None:
            self.stepper.send_signal(signal.SIGTERM)
            time.sleep(0.05)
        steps, calls, atomics = 0, collections.Counter(), collections.Counter()
        for line in self.stepper.communicate()[0].splitlines():
            kind, *words = line.split()
            if kind == "steps":
                steps = int(words[0])
            elif kind == "syscall":
                calls[NAMES.get(int(words[0]), words[0])] += int(words[1])
            else:
                atomics[self.symbols.name(int(words[0], 16))] += int(words[1])
        return steps, calls, atomics


class Instructions(unittest.TestCase):
    def measure(self, daemon, session, what, depth):
        """Returns a turn's steps, system calls and atomic instructions. Each turn receives depth commands at once."""
        tid, = fast_path.loop_threads(daemon.process.pid)
        fast_path.run(session, what, depth, fast_path.PLACES, BLOCKS)
        stepped = Stepped(daemon.process.pid, tid)
        try:
            stepped.wait_asleep()
            fast_path.run(session, what, depth, 1, BLOCKS)
            stepped.restart()
            fast_path.run(session, what, depth, ROUNDS, BLOCKS)
            steps, calls, atomics = stepped.finish()
        finally:
            stepped.stepper.kill()
            stepped.stepper.wait()
        print(f"{what} x{depth}: {steps // ROUNDS // depth} instructions a command; in {ROUNDS} turns: {dict(calls)}, "
              f"atomics {dict(atomics)}")
        sys.stdout.flush()
        return calls, atomics

    def check(self, export, cases=(READ, WRITE), **per_command):
        """Checks the budget. per_command has the system calls that are allowed for each command: those of the handler, and
        those of a turn that a completion has started."""
        print(f"{export}:")
        with Daemon("--export", f"{export},size=4M,name=a", "--threads", "1", env=NOW) as daemon, \
                daemon.session("a") as session:
            if "no io_uring" in daemon.output():
                self.skipTest("this machine has no io_uring")
            session.execute(cdb.TEST_UNIT_READY)
            fast_path.run(session, WRITE, 1, fast_path.PLACES)
            for what in cases:
                for depth in DEPTHS:
                    with self.subTest(what=what, depth=depth):
                        tries = (self.excess(*self.measure(daemon, session, what, depth), what, depth, per_command)
                                 for _ in range(TRIES))
                        self.assertTrue(any(excess == {} for excess in tries))

    def excess(self, calls, atomics, what, depth, per_command):
        """Returns what exceeds the budget: how many there are, and how many are allowed."""
        self.assertGreater(atomics["mailbox_fall_asleep"], 0, "the stepper sees no atomics")
        # Data that does not fit into one TCP segment may arrive in several pieces.
        pieces = depth if what == WRITE else 1
        allowed = {name: ROUNDS * (pieces * (name in A_TURN) + depth * per_command.get(name, 0)) for name in calls}
        # The kernel may wake the loop without a reason. If it happened in each turn, there would be ROUNDS more.
        allowed["io_uring_enter"] += 1
        allowed |= {name: calls["io_uring_enter"] for name in ASLEEP}
        allowed["libc"] = 2 * sum(calls[call] for call in CANCELLATION_POINTS)
        over = {name: (n, allowed.get(name, 0)) for name, n in (calls | atomics).items() if n > allowed.get(name, 0)}
        if over:
            print(f"over the budget: {over}")
        return over

    def test_alloc(self):
        self.check("alloc/a")

    def test_file_in_memory(self):
        with fast_path.folder("memory") as folder:
            self.check(f"file/{folder}/disk,create", (READ,), preadv2=1)
            self.check(f"file/{folder}/disk,create", (WRITE,), pwritev2=1)

    def test_file_direct(self):
        """Completions may arrive one by one. Each then causes a turn in which nothing is received. The WRITEs do not
        touch the last page of the file, so they do not ask for its size."""
        with fast_path.folder("disk") as folder:
            if fast_path.is_tmpfs(folder):
                self.skipTest("there is no file system other than tmpfs")
            self.check(f"file/{folder}/disk,cache=none,create", (READ,), sendmsg=1, io_uring_enter=1)
            self.check(f"file/{folder}/disk,cache=none,create", (WRITE,), sendmsg=1, io_uring_enter=1)


if __name__ == "__main__":
    unittest.main()
