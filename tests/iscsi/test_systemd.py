# SPDX-License-Identifier: Apache-2.0
"""The messages that the daemon sends to systemd (READY, WATCHDOG and STOPPING), and the descriptors that systemd keeps
open while no daemon runs."""
import os
import socket
import sys
import tempfile
import threading
import unittest

from daemon import Daemon, wait_until
from initiator import PATIENCE


class Systemd:
    """A fake of systemd, which receives the daemon's messages and keeps a file descriptor store. It is a context
    manager."""

    def __enter__(self):
        self.folder = tempfile.TemporaryDirectory()
        self.path = os.path.join(self.folder.name, "notify")
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.path)
        self.socket.settimeout(PATIENCE)
        self.store = []
        return self

    def __exit__(self, *_):
        self.socket.close()
        self.folder.cleanup()
        for _, fd in self.store:
            os.close(fd)

    def next_message(self):
        """Returns the next message that does not concern the store. Executes the messages before it, which do."""
        while True:
            said, fds, _, _ = socket.recv_fds(self.socket, 256, 1)
            lines = dict(line.split("=", 1) for line in said.decode().splitlines())
            if "FDSTORE" in lines:
                self.store.append((lines["FDNAME"], fds[0]))
            elif "FDSTOREREMOVE" in lines:
                for name, fd in self.store:
                    if name == lines["FDNAME"]:
                        os.close(fd)
                self.store = [pair for pair in self.store if pair[0] != lines["FDNAME"]]
            else:
                return said

    def stored_kinds(self):
        return sorted(name.split("-")[0] for name, _ in self.store)

    def name_of(self, kind):
        return next(name for name, _ in self.store if name.startswith(kind))

    def start(self, *args, **options):
        """Starts the daemon with the descriptors in the store, as systemd does."""
        return start_with_descriptors(self.store, *args, env={"NOTIFY_SOCKET": self.path}, **options)


# Executes a program whose descriptors from 3 on are copies of the descriptors that the first argument lists.
EXEC_WITH_DESCRIPTORS = """import fcntl, os, sys
high = [fcntl.fcntl(int(fd), fcntl.F_DUPFD_CLOEXEC, 100) for fd in sys.argv[1].split(",")]
for i, fd in enumerate(high):
    os.dup2(fd, 3 + i)
os.environ["LISTEN_PID"] = str(os.getpid())
os.execvp(sys.argv[2], sys.argv[2:])"""


def start_with_descriptors(named, *args, env, **options):
    """Starts the daemon with descriptors as systemd passes them. named is a list of (name, descriptor)."""
    fds = [fd for _, fd in named]
    env |= {"LISTEN_FDS": str(len(fds)), "LISTEN_FDNAMES": ":".join(name for name, _ in named)}
    wrapper = [sys.executable, "-c", EXEC_WITH_DESCRIPTORS, ",".join(map(str, fds))] if fds else []
    return Daemon(*args, env=env, wrapper=wrapper, pass_fds=fds, **options)


class SystemdTest(unittest.TestCase):
    def wait_log(self, daemon, text):
        """Waits for the text, because the daemon serves initiators before it has logged everything about its start."""
        wait_until(lambda: text in daemon.output(), daemon.output)

    def test_messages_from_start_to_stop(self):
        with Systemd() as systemd:
            daemon = Daemon("--export", "alloc/a,size=1M",
                            env={"NOTIFY_SOCKET": systemd.path, "WATCHDOG_USEC": "400000"})
            self.assertEqual(systemd.next_message(), b"READY=1")
            for _ in range(3):
                self.assertEqual(systemd.next_message(), b"WATCHDOG=1")
            daemon.stop()
            said = systemd.next_message()
            while said == b"WATCHDOG=1":
                said = systemd.next_message()
            self.assertEqual(said, b"STOPPING=1")

    def test_initiators_wait_for_the_next_daemon(self):
        """No connection is refused between a daemon that is killed or stopped and the next one."""
        with Systemd() as systemd:
            daemon = systemd.start("--export", "alloc/a,size=1M")
            self.assertEqual(systemd.next_message(), b"READY=1")
            self.assertEqual(systemd.stored_kinds(), ["memory", "portal"])
            for end in Daemon.kill, Daemon.stop:
                end(daemon)
                sessions = []
                waiting = threading.Thread(target=lambda: sessions.append(daemon.session("a")))
                waiting.start()
                waiting.join(0.3)
                self.assertTrue(waiting.is_alive())
                daemon = systemd.start("--export", "alloc/a,size=1M", port=daemon.address[1])
                waiting.join(20)
                self.assertEqual(len(sessions), 1)
                self.wait_log(daemon, "kept open by systemd, used again")
                sessions[0].logout()
                self.assertEqual(systemd.stored_kinds(), ["memory", "portal"])
            daemon.stop()

    def test_portals_that_are_not_wanted_any_more(self):
        with Systemd() as systemd:
            systemd.start("--export", "alloc/a,size=1M").stop()
            self.assertEqual(systemd.next_message(), b"READY=1")
            old = systemd.name_of("portal")
            self.assertEqual(systemd.next_message(), b"STOPPING=1")
            daemon = systemd.start("--export", "alloc/a,size=1M")
            self.assertEqual(systemd.next_message(), b"READY=1")
            self.wait_log(daemon, f"{old}: kept open by systemd, but not used any more")
            self.assertEqual(systemd.stored_kinds(), ["memory", "portal"])
            self.assertNotEqual(systemd.name_of("portal"), old)
            daemon.stop()

    def test_socket_unit(self):
        """The daemon can use the listening socket of a socket unit, which is in blocking mode, like a socket from the
        store."""
        with socket.create_server(("127.0.0.1", 0)) as listening, socket.socket() as other:
            daemon = start_with_descriptors([("iscsi.socket", listening.fileno()), ("other", other.fileno())],
                                            "--export", "alloc/a,size=1M", env={}, port=listening.getsockname()[1])
            daemon.session("a").logout()
            self.wait_log(daemon, "iscsi.socket: kept open by systemd, used again")
            self.wait_log(daemon, "other: kept open by systemd, but not used any more")
            daemon.stop()


if __name__ == "__main__":
    unittest.main()
