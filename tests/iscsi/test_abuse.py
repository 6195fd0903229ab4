# SPDX-License-Identifier: Apache-2.0
"""Tests how much one peer can take from others. An attacker connects from 127.0.0.2 and other addresses, while a
well-behaved initiator from 127.0.0.1 reads from another target and logs in again and again. During each attack, no
command and no login of the well-behaved initiator may fail, and both must be answered within a time limit.
Afterwards the daemon must return its memory, and must stop in time.

The limits are meant for a release build on an idle machine. TCMUR_FACTOR multiplies them (default: 10), and
TCMUR_SECONDS is the duration of each attack (default: 2)."""
import multiprocessing
import os
import resource
import socket
import struct
import time
import unittest

import cdb
import iscsi_pdu as p
from daemon import IQN, Daemon, wait_until
from initiator import PATIENCE, Connection, Session

FACTOR = float(os.environ.get("TCMUR_FACTOR", "10"))
SECONDS = float(os.environ.get("TCMUR_SECONDS", "2"))
READ_BOUND, LOGIN_BOUND, STOP_BOUND = 0.05, 1.0, 5.0  # in seconds
MEMORY_BOUND, MEMORY_SECONDS = 32 << 20, 20
EVIL = "iqn.1999-01.test.evil:x"


def read_and_log_in(address, pipe):
    """The well-behaved initiator, in a process of its own. It ends when something is written to the pipe."""
    reads, logins = [], []
    try:
        session = Session(address, IQN + "a")
        session.execute(cdb.TEST_UNIT_READY)
        next_login = 0
        pipe.send("ready")
        while not pipe.poll():
            begin = time.monotonic()
            session.good(cdb.read10(0, 8), length=4096)
            reads.append(time.monotonic() - begin)
            if begin >= next_login:
                begin = time.monotonic()
                Session(address, IQN + "a").connection.close()
                logins.append(time.monotonic() - begin)
                next_login = time.monotonic() + 0.1
            time.sleep(0.001)
        reads.sort()
        pipe.send({"p99": reads[len(reads) * 99 // 100], "reads": len(reads), "login": max(logins)})
    except BaseException as error:  # pylint: disable=broad-except
        pipe.send({"error": repr(error)})


class Initiator:
    """Used as: with Initiator(address) as initiator: attack … initiator.figures"""

    def __init__(self, address):
        context = multiprocessing.get_context("spawn")
        self.pipe, other = context.Pipe()
        self.process = context.Process(target=read_and_log_in, args=(address, other))

    def __enter__(self):
        self.process.start()
        assert self.pipe.recv() == "ready"
        return self

    def __exit__(self, *_):
        self.pipe.send("end")
        self.figures = self.pipe.recv() if self.pipe.poll(120) else {"error": "no answer in 120 s"}
        self.process.join()


class Attacker:
    """Connections from the addresses of the attacker. It does not matter what the daemon does with them."""

    def __init__(self, address):
        self.address, self.sockets, self.patience = address, [], 5

    def connect(self, address_number=0):
        attacking = socket.socket()
        attacking.bind((f"127.0.0.{2 + address_number}", 0))
        attacking.settimeout(self.patience)
        attacking.connect(self.address)
        self.sockets.append(attacking)
        return attacking

    def log_in(self, number, target=None, address_number=0):
        """Logs in as the attacker. Returns None if the daemon refuses the session."""
        names = {"InitiatorName": EVIL, "MaxRecvDataSegmentLength": "262144", "InitialR2T": "No"}
        names |= {"TargetName": IQN + target} if target else {"SessionType": "Discovery"}
        try:
            attacking = self.connect(address_number)
            attacking.sendall(p.login(p.encode_keys(names), p.FINAL | 1 << 2 | 3,
                                      b"\x80" + number.to_bytes(5, "big"), cmdsn=1).encode())
            reply = attacking.recv(4096)
        except OSError:
            return None
        return attacking if len(reply) >= 48 and reply[36:38] == b"\0\0" else None

    def sessions(self, count, target=None):
        return [one for one in (self.log_in(i, target) for i in range(count)) if one]

    @staticmethod
    def push(sockets, stream):
        """Sends as much as the sockets accept, and ignores the answers."""
        for one in sockets:
            one.setblocking(False)
            try:
                one.send(stream)
            except OSError:
                pass
            try:
                one.recv(1 << 20)
            except OSError:
                pass

    def close(self):
        for one in self.sockets:
            one.close()
        self.sockets = []


def resident(pid):
    with open(f"/proc/{pid}/statm", encoding="ascii") as statm:
        return int(statm.read().split()[1]) * resource.getpagesize()


def is_sanitized(pid):
    """Sanitizers keep freed memory on purpose, so its size is not compared then."""
    with open(f"/proc/{pid}/maps", encoding="utf-8", errors="replace") as maps:
        loaded = maps.read()
    return "libasan" in loaded or "libtsan" in loaded


class Abuse(unittest.TestCase):
    args = ("--export", "alloc/a,size=16M,name=a", "--export", "alloc/b,size=64M,name=b", "--allow-any")

    def setUp(self):
        resource.setrlimit(resource.RLIMIT_NOFILE, (8192, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
        self.daemon = Daemon(*self.args)
        self.attacker = Attacker(self.daemon.address)
        # this session makes the daemon allocate memory that it needs only once
        with self.daemon.session("a") as session:
            session.execute(cdb.TEST_UNIT_READY)
        self.memory = resident(self.daemon.process.pid)

    def tearDown(self):
        self.attacker.close()
        if self.daemon.alive():
            self.daemon.kill()

    def check(self, attack):
        """Checks attack(end), which runs until about the time end, and leaves its connections open."""
        with Initiator(self.daemon.address) as initiator:
            attack(time.monotonic() + SECONDS)
        print(f"{self.id().split('.')[-1]}: {initiator.figures}", flush=True)
        self.assertNotIn("error", initiator.figures)
        self.assertLess(initiator.figures["p99"], READ_BOUND * FACTOR, "READ p99")
        self.assertLess(initiator.figures["login"], LOGIN_BOUND * FACTOR, "slowest login")
        self.attacker.close()
        self.check_memory()
        self.assertLess(self.daemon.stop(), STOP_BOUND * FACTOR, "SIGTERM")

    def check_memory(self):
        pid = self.daemon.process.pid
        if is_sanitized(pid):
            return
        end = time.monotonic() + MEMORY_SECONDS
        while resident(pid) > self.memory + MEMORY_BOUND and time.monotonic() < end:
            time.sleep(0.2)
        self.assertLess(resident(pid), self.memory + MEMORY_BOUND, "memory is not given back")

    def test_discovery_sessions(self):
        """Discovery sessions need no secret and no ACL, so they must not take places away from other sessions."""
        def attack(end):
            for number in range(4096):
                if time.monotonic() > end:
                    break
                self.attacker.log_in(number, address_number=number // 2000)
        self.check(attack)

    def test_discovery_keeps_no_early_requests(self):
        """The requests are as many and as long as the window and the limit of a discovery session permit."""
        early = b"".join(p.Pdu.make(p.NOP_OUT, itt=n, w20=p.NO_TAG, w24=1 + n, w28=1, data=bytes(8192)).encode()
                         for n in range(1, 15))

        def attack(end):
            sessions = self.attacker.sessions(100)
            while time.monotonic() < end:
                self.attacker.push(sessions, early)
                sessions += self.attacker.sessions(1)
        self.check(attack)

    def test_early_requests_of_many_sessions(self):
        """One limit applies to all sessions together."""
        early = b"".join(p.Pdu.make(p.NOP_OUT, itt=n, w20=p.NO_TAG, w24=1 + n, w28=1, data=bytes(262140)).encode()
                         for n in (1, 2, 3, 4))

        def attack(end):
            sessions = self.attacker.sessions(200, "b")
            for session in sessions:
                try:
                    session.sendall(early)
                except OSError:
                    pass
            if not is_sanitized(self.daemon.process.pid):
                self.assertLess(resident(self.daemon.process.pid), self.memory + (160 << 20))
            time.sleep(max(0, end - time.monotonic()))
        self.check(attack)

    def flood(self, sessions, stream):
        def attack(end):
            opened = sessions()
            while time.monotonic() < end:
                self.attacker.push(opened, stream)
        self.check(attack)

    def test_text_of_many_keys(self):
        text = p.Pdu.make(p.TEXT, immediate=True, itt=5, w20=p.NO_TAG, w24=1, w28=1, data=b"X=\0" * 2700).encode()
        self.flood(lambda: self.attacker.sessions(50), text)

    def test_discovery_of_many_targets(self):
        text = p.Pdu.make(p.TEXT, immediate=True, itt=5, w20=p.NO_TAG, w24=1, w28=1, data=b"SendTargets=All\0")
        self.flood(lambda: self.attacker.sessions(50), text.encode() * 20)

    def test_requests_that_get_a_reject(self):
        snack = p.Pdu.make(p.SNACK, itt=5, w20=p.NO_TAG, w24=1, w28=1)
        self.flood(lambda: self.attacker.sessions(50, "b"), snack.encode() * 100)

    def test_silent_connections(self):
        """Silent connections are opened again when the daemon closes them. An honest login with pauses between its
        requests succeeds."""
        def attack(end):
            for number in range(1000):
                self.attacker.connect(number % 3)
            slow = Session(self.daemon.address, IQN + "a", login=False)
            slow.login_step(slow.names(), 1)
            for _ in range(3):
                time.sleep(0.35)
                slow.login_step({}, 1)
            slow.adopt(slow.login_step(slow.asked, 1, 3))
            slow.connection.close()
            while time.monotonic() < end:
                self.reopen()
        self.check(attack)

    def reopen(self):
        for one in self.attacker.sockets:
            one.setblocking(False)
        kept = []
        for one in self.attacker.sockets:
            try:
                closed = not one.recv(1)
            except BlockingIOError:
                closed = False
            except OSError:
                closed = True
            if closed:
                one.close()
            else:
                kept.append(one)
        missing = len(self.attacker.sockets) - len(kept)
        self.attacker.sockets = kept
        for number in range(missing):
            self.attacker.connect(number % 3)

    def test_connections_that_begin_a_login(self):
        """These connections have sent something, so they are not closed at once. They take places from their own
        addresses only."""
        def attack(end):
            while time.monotonic() < end:
                for number in range(60):
                    try:
                        self.attacker.connect(number % 3).sendall(b"\x43")
                    except OSError:
                        pass
        self.check(attack)

    def test_compare_and_write_of_one_block(self):
        """The commands of many sessions wait for each other, and then their sessions end. With fewer sessions,
        the limits also make sense for a build with sanitizers."""
        def attack(_end):
            sessions = self.attacker.sessions(200 if FACTOR == 1 else 20, "b")
            stream = p.command(cdb.TEST_UNIT_READY, 1, 1, 1).encode()
            for number in range(2, 122):
                request = struct.pack(">BBQ3xBBx", 0x89, 0, 0, 1, 0)
                stream += p.command(request, number, number, 1, length=1024, data=bytes(1024),
                                    flags=p.FINAL | p.WRITE | p.SIMPLE).encode()
            for session in sessions:
                try:
                    session.sendall(stream)
                except OSError:
                    pass
            time.sleep(1)
            self.attacker.close()
            time.sleep(SECONDS)
        self.check(attack)

    def test_writes_without_data(self):
        """These writes hold buffers. The attacker gets only a part of the buffers, and others find free ones."""
        def attack(end):
            stream = b""
            for number, size in enumerate((16 << 20, 4 << 20, 1 << 20, 256 << 10, 64 << 10, 16 << 10, 4096, 4096), 2):
                request = struct.pack(">BBQIBB", 0x8A, 0, 0, size // 512, 0, 0)
                stream += p.command(request, number, number, 1, length=size, flags=p.FINAL | p.WRITE | p.SIMPLE).encode()
            for session in self.attacker.sessions(120, "b"):
                try:
                    session.sendall(p.command(cdb.TEST_UNIT_READY, 1, 1, 1).encode() + stream)
                except OSError:
                    pass
            time.sleep(max(0, end - time.monotonic()))
        self.check(attack)


class Shares(unittest.TestCase):
    def test_an_address_leaves_places_to_others(self):
        with Daemon("--export", "alloc/a,size=16M,name=a", "--max-connections", "40") as daemon:
            attacker = Attacker(daemon.address)
            attacker.patience = PATIENCE
            held = [attacker.log_in(n, "a") for n in range(30)]
            self.assertEqual(len([one for one in held if one]), 20, "half of the places")
            with daemon.session("a") as session:
                self.assertEqual(session.ping(), b"ping")
            attacker.close()

    def test_an_initiator_leaves_sessions_to_others(self):
        with Daemon("--export", "alloc/a,size=16M,name=a", "--max-connections", "40") as daemon:
            attacker = Attacker(daemon.address)
            attacker.patience = PATIENCE
            held = [attacker.log_in(n, "a", address_number=n % 3) for n in range(30)]
            self.assertEqual(len([one for one in held if one]), 20, "half of the places")
            with daemon.session("a") as session:
                self.assertEqual(session.ping(), b"ping")
            attacker.close()

    def test_oldest_discovery_session_gives_way(self):
        """Half of the half-open places are for discovery sessions, which anybody can open."""
        with Daemon("--export", "alloc/a,size=16M,name=a", "--max-half-open", "4") as daemon:
            sessions = [daemon.discovery() for _ in range(3)]
            for session in sessions[1:]:
                self.assertEqual(session.ping(), b"ping")
            sessions[0].connection.wait_closed()

    def test_places_for_addresses_with_a_session(self):
        """When nearly all places are taken, only an address with a session can connect, to log in again."""
        with Daemon("--export", "alloc/a,size=16M,name=a", "--max-connections", "32") as daemon:
            with daemon.session("a") as session:
                attacker = Attacker(daemon.address)
                for number in range(40):
                    try:
                        attacker.connect(number % 4).sendall(b"\x43")
                    except OSError:
                        pass
                with daemon.session("a") as again:
                    self.assertEqual(again.ping(), b"ping")
                self.assertEqual(session.ping(), b"ping")
                self.assertIn("reserved for addresses with a session", daemon.output())
                attacker.close()

    def test_discovery_ends_after_the_login_time(self):
        with Daemon("--export", "alloc/a,size=16M,name=a", "--login-timeout", "1") as daemon:
            session = daemon.discovery()
            end = time.monotonic() + PATIENCE
            with self.assertRaises((EOFError, OSError)):
                while time.monotonic() < end:
                    session.ping()
                    time.sleep(0.1)
            self.assertLess(time.monotonic(), end)


class DataOut(unittest.TestCase):
    def test_time_limit(self):
        """An initiator that answers every NOP-In but sends no data for its WRITE loses its connection."""
        with Daemon("--export", "alloc/a,size=16M,name=a", "--nop-interval", "1", "--nop-timeout", "2") as daemon:
            session = daemon.session("a", keys={"ImmediateData": "No", "InitialR2T": "Yes"})
            session.execute(cdb.TEST_UNIT_READY)
            session.start(cdb.write10(0, 8), bytes(4096), manual=True)
            end = time.monotonic() + PATIENCE
            with self.assertRaises((EOFError, ConnectionError)):
                while time.monotonic() < end:
                    session.receive()
            self.assertIn("Data-Out", daemon.output())


class Log(unittest.TestCase):
    def test_does_not_grow_with_connections(self):
        with Daemon("--export", "alloc/a,size=16M,name=a") as daemon:
            for _ in range(300):
                with Connection(daemon.address) as connection:
                    connection.send_bytes(bytes(48))
                    connection.wait_closed()
            self.assertLess(len(daemon.output().splitlines()), 100)

    def test_shortage_of_descriptors(self):
        """A shortage is logged when it begins, and not with each attempt to accept."""
        few = ("sh", "-c", 'ulimit -n 60 && exec "$@"', "sh")
        with Daemon("--export", "alloc/a,size=16M,name=a", "--threads", "1", wrapper=few) as daemon:
            attacker = Attacker(daemon.address)
            for number in range(80):
                attacker.connect(number % 4).sendall(b"\x43")
            wait_until(lambda: "cannot accept connections" in daemon.output(), daemon.output)
            time.sleep(2)
            lines = [line for line in daemon.output().splitlines() if "cannot accept connections" in line]
            self.assertEqual(len(lines), 1, lines)
            attacker.close()

    def test_says_who_logs_in_and_out(self):
        with Daemon("--export", "alloc/a,size=16M,name=a") as daemon:
            with daemon.session("a") as session:
                session.logout()
            other = daemon.session("a", isid=b"\x80abcde")
            again = daemon.session("a", isid=b"\x80abcde")
            self.assertIn(f"logged out of {IQN}a", daemon.output())
            port = other.connection.socket.getsockname()[1]
            line = next(line for line in daemon.output().splitlines() if "logs in again" in line)
            self.assertIn(f"127.0.0.1:{port}", line)
            self.assertIn(f"127.0.0.1:{again.connection.socket.getsockname()[1]}", line)
            again.connection.close()


if __name__ == "__main__":
    unittest.main()
