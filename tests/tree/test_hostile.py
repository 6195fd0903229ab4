# SPDX-License-Identifier: Apache-2.0
"""Hostile programs in a tree on fake storage: races, killed programs, and folders that are very large or change."""
import errno
import os
import signal
import subprocess
import threading
import time
import unittest

from host import in_background, require_fuse
from tree_case import INITIATOR, TreeCase


class Hostile(TreeCase):
    def test_open_file_of_a_deleted_object(self):
        device = self.device()
        fds = [os.open(os.path.join(device, name), os.O_RDWR) for name in ("enable", "attrib/queue_depth")]
        folder = os.open(device, os.O_RDONLY | os.O_DIRECTORY)
        os.rmdir(device)
        for fd in fds:
            self.assert_refused(errno.ENOENT, os.read, fd, 10)
            self.assert_refused(errno.ENOENT, os.write, fd, b"1")
            os.close(fd)
        self.assert_refused(errno.ENOENT, os.listdir, folder)
        os.close(folder)
        self.device_again = self.device()
        self.assertEqual(self.read("core/user_0/disk/enable"), "1\n")

    def test_slow_rmdir(self):
        self.device()
        self.device("user_1/other")
        self.host.command("hold", "user_0/disk")
        slow = in_background(os.rmdir, self.path("core/user_0/disk"))
        deadline = time.monotonic() + 30
        while self.read("core/user_1/other/enable") != "1\n" and time.monotonic() < deadline:
            time.sleep(0.01)
        for number in range(50):
            self.mkdir(f"core/user_{number + 10}")
            os.rmdir(self.path(f"core/user_{number + 10}"))
        os.rmdir(self.path("core/user_1/other"))
        self.assertTrue(slow.is_running())
        self.host.command("release", "user_0/disk")
        slow()
        self.assertEqual(self.folders("core/user_0"), [])

    def wait_until(self, condition):
        deadline = time.monotonic() + 120
        while not condition():
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.01)

    def test_killed_rmdir(self):
        """The program ends at once, and the folder disappears when its storage is closed."""
        self.device()
        self.host.command("hold", "user_0/disk")
        folder = self.path("core/user_0/disk")
        process = subprocess.Popen(["python3", "-c", "import os, sys; print(flush=True); os.rmdir(sys.argv[1])", folder],
                                   stdout=subprocess.PIPE)
        process.stdout.read(1)
        self.wait_until(lambda: self.is_waiting(process.pid))
        process.kill()
        self.assertEqual(process.wait(60), -signal.SIGKILL)
        process.stdout.close()
        # The deletion continues, and ends when the storage is closed.
        self.assertEqual(self.folders("core/user_0"), ["disk"])
        self.host.command("release", "user_0/disk")
        self.wait_until(lambda: self.folders("core/user_0") == [])
        self.device()

    @staticmethod
    def is_waiting(pid):
        """Whether the process waits for the answer to rmdir(), as far as this user can see it."""
        try:
            with open(f"/proc/{pid}/stack", encoding="ascii") as file:
                return "fuse_rmdir" in file.read()
        except OSError:
            time.sleep(1)
            return True

    def test_races(self):
        self.device()
        tpg = self.tpg()
        allowed = {errno.EEXIST, errno.ENOENT, errno.ENOTEMPTY, errno.EBUSY, errno.EPERM, errno.EINVAL}
        failures = []
        end = time.monotonic() + 3

        def attempt(function, *args):
            try:
                function(*args)
            except OSError as error:
                if error.errno not in allowed:
                    failures.append(error)

        def run(view):
            base = self.path(view, tpg)
            while time.monotonic() < end:
                attempt(os.mkdir, f"{base}/lun/lun_0")
                attempt(os.symlink, self.path("core/user_0/disk"), f"{base}/lun/lun_0/x")
                attempt(os.mkdir, f"{base}/acls/{INITIATOR}")
                attempt(os.mkdir, f"{base}/acls/{INITIATOR}/lun_0")
                attempt(os.symlink, self.path(f"{tpg}/lun/lun_0"), f"{base}/acls/{INITIATOR}/lun_0/x")
                attempt(os.listdir, f"{base}/acls/{INITIATOR}")
                attempt(os.unlink, f"{base}/acls/{INITIATOR}/lun_0/x")
                attempt(os.rmdir, f"{base}/acls/{INITIATOR}/lun_0")
                attempt(os.rmdir, f"{base}/acls/{INITIATOR}")
                attempt(os.unlink, f"{base}/lun/lun_0/x")
                attempt(os.rmdir, f"{base}/lun/lun_0")
                attempt(os.mkdir, self.path(view, "core/user_5"))
                attempt(os.mkdir, self.path(view, "core/user_5/a"))
                attempt(os.rmdir, self.path(view, "core/user_5/a"))
                attempt(os.rmdir, self.path(view, "core/user_5"))

        threads = [threading.Thread(target=run, args=(view,)) for view in ("", ".targetcli", "", ".targetcli")]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(failures, [])

    def test_thousands_of_objects(self):
        self.mkdir("core/user_0")
        tpg = self.tpg()
        count = 2000
        for number in range(count):
            self.mkdir(f"core/user_0/disk{number}")
        for number in range(0, count, 20):
            self.write(f"core/user_0/disk{number}/control", "dev_config=alloc/x")
            self.write(f"core/user_0/disk{number}/enable", "1")
            self.mkdir(f"{tpg}/lun/lun_{number}")
            os.symlink(self.path(f"core/user_0/disk{number}"), self.path(f"{tpg}/lun/lun_{number}/x"))
        self.assertEqual(len(self.folders("core/user_0")), count)
        self.assertEqual(len(self.folders(f"{tpg}/lun")), count / 20)

    def test_directory_changes_while_it_is_read(self):
        self.mkdir("core/user_0")
        for number in range(500):
            self.mkdir(f"core/user_0/disk{number}")
        seen = []
        with os.scandir(self.path("core/user_0")) as entries:
            for number, entry in enumerate(entries):
                seen.append(entry.name)
                if number == 10:
                    for gone in range(0, 500, 2):
                        os.rmdir(self.path(f"core/user_0/disk{gone}"))
        self.assertEqual(len(seen), len(set(seen)))
        self.assertTrue({f"disk{number}" for number in range(1, 500, 2)} <= set(seen))


if __name__ == "__main__":
    require_fuse()
    unittest.main()
