# SPDX-License-Identifier: Apache-2.0
"""Where the tree is mounted: by whom, in place of what, and what remains when a daemon is killed or ends."""
import errno
import os
import pwd
import shutil
import subprocess
import tempfile
import time
import unittest

from host import HOST, Host, in_background, require_fuse

IS_ROOT = os.geteuid() == 0


class Mount(unittest.TestCase):
    def setUp(self):
        self.scratch = tempfile.mkdtemp(prefix="tree-")
        os.chmod(self.scratch, 0o755)
        self.addCleanup(shutil.rmtree, self.scratch, ignore_errors=True)
        self.folder = os.path.join(self.scratch, "it's a tree")

    def assert_refused(self, reason, folder=None):
        with self.assertRaises(AssertionError) as caught:
            Host(folder or self.folder)
        self.assertIn(reason, str(caught.exception))

    def test_folder_is_created_and_stays(self):
        with Host(self.folder) as host:
            self.assertEqual(host.read("core/alua/lu_gps/default_lu_gp/lu_gp_id"), "0\n")
        self.assertEqual(os.listdir(self.folder), [])
        with Host(self.folder):
            pass

    def test_folder_that_cannot_be_used(self):
        os.mkdir(self.folder)
        with open(os.path.join(self.folder, "file"), "w", encoding="utf-8"):
            pass
        self.assert_refused("not empty")
        self.assert_refused("not a folder", os.path.join(self.folder, "file"))
        self.assert_refused("No such file", os.path.join(self.folder, "none/tree"))

    def test_folder_of_a_running_daemon(self):
        with Host(self.folder):
            self.assert_refused("daemon that runs")

    def test_mount_of_a_killed_daemon(self):
        host = Host(self.folder)
        os.mkdir(host.path("core/user_0"))
        host.kill()
        host.cleanup()
        with self.assertRaises(OSError) as caught:
            os.statvfs(self.folder)
        self.assertEqual(caught.exception.errno, errno.ENOTCONN)
        with Host(self.folder) as again:
            self.assertEqual(os.listdir(again.path("core")), ["alua"])

    def test_end_while_a_request_waits(self):
        host = Host(self.folder)
        os.makedirs(host.path("core/user_0/disk"))
        host.write("core/user_0/disk/control", "dev_config=alloc/x")
        host.write("core/user_0/disk/enable", "1")
        host.command("hold", "user_0/disk")
        slow = in_background(os.rmdir, host.path("core/user_0/disk"))
        for number in range(20):
            os.mkdir(host.path(f"core/user_{number + 1}"))
        # When no LUN can be made any more, the deletion has begun. Then the tree ends, and the model continues.
        lun = host.path("iscsi/iqn.2026-11.com.example:a/tpgt_1/lun/lun_0")
        os.makedirs(lun)
        while True:
            try:
                os.symlink(host.path("core/user_0/disk"), f"{lun}/x")
            except OSError as error:
                self.assertEqual(error.errno, errno.EBUSY)
                break
            os.unlink(f"{lun}/x")
            time.sleep(0.01)
        host.process.stdin.write(b"stop x\nrelease x\n")
        host.process.stdin.flush()
        with self.assertRaises(OSError) as caught:
            slow()
        self.assertEqual(caught.exception.errno, errno.ENODEV)
        host.stop()

    def test_open_file_when_the_daemon_ends(self):
        host = Host(self.folder)
        fd = os.open(host.path("version"), os.O_RDONLY)
        self.assertTrue(os.read(fd, 10))
        host.stop()
        with self.assertRaises(OSError) as caught:
            os.read(fd, 10)
        self.assertIn(caught.exception.errno, (errno.ENOTCONN, errno.EIO))
        with self.assertRaises(OSError):
            os.close(fd)


def can_unshare():
    return subprocess.run(["unshare", "-m", "true"], capture_output=True, check=False).returncode == 0


@unittest.skipUnless(IS_ROOT and can_unshare() and shutil.which("fusermount3"), "needs root, unshare and fusermount3")
class OrdinaryUser(unittest.TestCase):
    """Runs in a mount namespace in which everybody may open /dev/fuse, as on most hosts."""

    def run_as_user(self, script, *args):
        user = pwd.getpwnam("nobody")
        scratch = tempfile.mkdtemp(prefix="tree-")
        self.addCleanup(shutil.rmtree, scratch, ignore_errors=True)
        os.chown(scratch, user.pw_uid, user.pw_gid)
        prepare = ("mount -t tmpfs -o dev none /mnt && mknod -m 666 /mnt/fuse c 10 229 && "
                   "mount --bind /mnt/fuse /dev/fuse && "
                   f"exec setpriv --reuid {user.pw_uid} --regid {user.pw_gid} --clear-groups -- \"$@\"")
        return subprocess.run(["unshare", "-m", "sh", "-ec", prepare, "sh", "sh", "-ec", script, "sh", HOST,
                               os.path.join(scratch, "tree"), *args], capture_output=True, text=True, check=False,
                              timeout=120, env=os.environ | {"HOME": scratch})

    def expect(self, run, words):
        self.assertEqual(run.returncode, 0, run.stdout + run.stderr)
        for word in words:
            self.assertIn(word, run.stdout + run.stderr)

    def test_mount(self):
        script = """
        mkfifo "$2.fifo"
        "$1" "$2" <"$2.fifo" >"$2.out" & pid=$!
        exec 3>"$2.fifo"
        while ! grep -q ready "$2.out"; do kill -0 $pid; sleep 0.1; done
        mkdir "$2/core/user_0"
        stat -c '%U %a' "$2/core/user_0"
        exec 3>&-
        wait $pid
        ls "$2" | wc -l
        """
        self.expect(self.run_as_user(script), ["nobody 755", "\n0\n"])

    def test_mount_of_a_killed_daemon(self):
        script = """
        mkfifo "$2.fifo"
        for round in 1 2; do
            "$1" "$2" <"$2.fifo" >"$2.out" & pid=$!
            exec 3>"$2.fifo"
            while ! grep -q ready "$2.out"; do kill -0 $pid; sleep 0.1; done
            [ $round = 2 ] || kill -9 $pid
            exec 3>&-
            wait $pid || [ $round = 1 ]
        done
        """
        self.expect(self.run_as_user(script), ["of a daemon that was killed was removed"])


if __name__ == "__main__":
    require_fuse()
    unittest.main()
