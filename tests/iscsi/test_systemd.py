# SPDX-License-Identifier: Apache-2.0
"""What systemd hears of the daemon: ready once it serves, signs of life, the stop before it happens."""
import os
import socket
import tempfile
import unittest

from daemon import Daemon


class SystemdTest(unittest.TestCase):
    def test_life(self):
        with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
            path = os.path.join(folder, "notify")
            systemd.bind(path)
            systemd.settimeout(20)
            daemon = Daemon("--export", "alloc/a,size=1M", env={"NOTIFY_SOCKET": path, "WATCHDOG_USEC": "400000"})
            self.assertEqual(systemd.recv(100), b"READY=1")
            for _ in range(3):
                self.assertEqual(systemd.recv(100), b"WATCHDOG=1")
            daemon.stop()
            said = systemd.recv(100)
            while said == b"WATCHDOG=1":
                said = systemd.recv(100)
            self.assertEqual(said, b"STOPPING=1")


if __name__ == "__main__":
    unittest.main()
