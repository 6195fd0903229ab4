# SPDX-License-Identifier: Apache-2.0
"""Where the socket is, who may use it, and what a second daemon in the same run folder does."""
import os
import socket
import shutil
import stat
import subprocess
import tempfile
import unittest

from control_case import ControlCase, main
from control_socket import Control
from daemon import Daemon, free_port, run, wait_until

EXPORT = ("--export", "alloc/a,size=1M,name=a")
NOBODY = 65534
# Connects, and prints the first line that the daemon sends.
PROBE = "import socket,sys; s=socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); print(s.makefile().readline())"


class Access(ControlCase):
    def test_mode(self):
        info = os.stat(self.path)
        self.assertTrue(stat.S_ISSOCK(info.st_mode))
        self.assertEqual(stat.S_IMODE(info.st_mode), 0o600)
        self.assertEqual(info.st_uid, os.geteuid())

    @unittest.skipUnless(os.geteuid() == 0, "only root can become another user")
    def test_other_user(self):
        """The mode of the socket keeps other users away. If the mode allows them, the credentials are checked."""
        python = shutil.which("python3", path="/usr/bin:/bin")
        if not python:
            self.skipTest("there is no python3 that other users may run")

        def probe():
            return subprocess.run([python, "-c", PROBE, self.path], capture_output=True, text=True,
                                  timeout=120, check=False, user=NOBODY, group=NOBODY, extra_groups=[])

        folder = os.path.dirname(self.path)
        for path in (folder, os.path.dirname(folder)):
            mode = os.stat(path).st_mode
            os.chmod(path, 0o755)
            self.addCleanup(os.chmod, path, stat.S_IMODE(mode))
        self.assertIn("PermissionError", probe().stderr)
        os.chmod(self.path, 0o666)
        self.addCleanup(os.chmod, self.path, 0o600)
        answer = probe()
        self.assertIn("EACCES", answer.stdout, answer.stderr)
        self.assertIn("only root and the user of the daemon", answer.stdout)
        self.wait_log(f"user {NOBODY} may not connect")
        self.assertIn("version", self.call("status"))


class Folder(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="tcmur-run-")
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.path = os.path.join(self.folder, "control")

    def status(self):
        with Control(self.path) as control:
            return control.call("status")

    def test_second_daemon(self):
        """The second daemon runs without a socket, and says which option gives it a socket. The socket of the first daemon
        stays as it is."""
        with Daemon(*EXPORT, "--run-dir", self.folder) as first:
            with Daemon(*EXPORT, "--run-dir", self.folder) as second:
                self.assertEqual(self.status()["pid"], first.process.pid)
                self.assertIn(f"another tcmu-runner uses {self.folder}", self.reason(second))
                with second.session("a"):
                    pass
            self.assertEqual(self.status()["pid"], first.process.pid)
        self.assertFalse(os.path.exists(self.path))

    def test_killed_daemon(self):
        """The next daemon replaces the socket that a killed daemon has left."""
        Daemon(*EXPORT, "--run-dir", self.folder).kill()
        self.assertTrue(os.path.exists(self.path))
        with Daemon(*EXPORT, "--run-dir", self.folder) as second:
            self.assertEqual(self.status()["pid"], second.process.pid)

    def test_file_of_this_name(self):
        """A file that is not a socket is removed as well, because the folder belongs to the daemon."""
        with open(self.path, "w", encoding="ascii"):
            pass
        with Daemon(*EXPORT, "--run-dir", self.folder):
            self.assertIn("version", self.status())

    def test_folder_is_made(self):
        deep = os.path.join(self.folder, "a", "b")
        with Daemon(*EXPORT, "--run-dir", deep):
            self.assertTrue(stat.S_ISSOCK(os.stat(os.path.join(deep, "control")).st_mode))

    def reason(self, daemon):
        """Returns the line that says why there is no socket, and which option gives the daemon a socket. The daemon writes its log
        on a thread of its own."""
        wait_until(lambda: "no control socket" in daemon.output(), daemon.output)
        line, = [line for line in daemon.output().splitlines() if "no control socket" in line]
        self.assertIn("--run-dir", line)
        return line

    def assert_no_socket(self, daemon, *texts):
        with daemon:
            line = self.reason(daemon)
            for text in texts:
                self.assertIn(text, line)

    def test_folder_that_cannot_be_created(self):
        self.assert_no_socket(Daemon(*EXPORT, "--run-dir", "/dev/null/run"), "/dev/null/run", "Not a directory")

    def test_links_are_not_followed(self):
        """A lock that is a symbolic link is refused. A link in the place of the socket is replaced. Neither file to which they
        lead is touched."""
        victim, lock = os.path.join(self.folder, "victim"), os.path.join(self.folder, "control.lock")
        os.symlink(victim, lock)
        self.assert_no_socket(Daemon(*EXPORT, "--run-dir", self.folder), lock, "symbolic link")
        self.assertFalse(os.path.exists(victim))
        os.unlink(lock)
        with open(victim, "w", encoding="ascii"):
            os.chmod(victim, 0o644)
        os.symlink(victim, self.path)
        with Daemon(*EXPORT, "--run-dir", self.folder):
            self.assertIn("version", self.status())
        self.assertEqual(stat.S_IMODE(os.stat(victim).st_mode), 0o644)

    def test_long_path(self):
        self.assert_no_socket(Daemon(*EXPORT, "--run-dir", os.path.join(self.folder, "x" * 150)), "at most 107 bytes")

    @unittest.skipUnless(os.geteuid() == 0, "only root can become another user")
    def test_ordinary_user(self):
        """The socket is in $XDG_RUNTIME_DIR/tcmu-runner. Without the variable, there is no socket."""
        os.chmod(self.folder, 0o777)
        state = os.path.join(self.folder, "state")
        wrapper = ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "env", "-u",
                   "XDG_RUNTIME_DIR")
        try:
            subprocess.run([*wrapper, "cat", os.environ["TCMU_RUNNER"]], check=True, stdout=subprocess.DEVNULL)
        except subprocess.CalledProcessError:
            self.skipTest("another user cannot read the daemon under test")
        self.assert_no_socket(Daemon(*EXPORT, "--state-dir", state, wrapper=wrapper, run_dir=False),
                       "XDG_RUNTIME_DIR is not set")
        with Daemon(*EXPORT, "--state-dir", state, run_dir=False,
                    wrapper=(*wrapper, f"XDG_RUNTIME_DIR={self.folder}")) as daemon:
            path = os.path.join(self.folder, "tcmu-runner", "control")
            with Control(path) as control:
                self.assertEqual(control.call("status")["pid"], daemon.process.pid)

    def test_stop_with_clients(self):
        """The daemon ends although clients are connected and a call is being executed."""
        with Daemon(*EXPORT, "--run-dir", self.folder):
            idle, watcher = Control(self.path), Control(self.path)
            watcher.call("subscribe")
            idle.send("create", path="t_disk", attributes={"control/config": "alloc/t", "control/size": 1 << 20},
                      enable=True)
        for control in (idle, watcher):
            while control.read() is not None:
                pass
            control.close()


class Port(unittest.TestCase):
    def test_no_descriptor_is_left(self):
        """A daemon that cannot start leaves no socket."""
        with tempfile.TemporaryDirectory(prefix="tcmur-run-") as folder, socket.socket() as taken:
            taken.bind(("127.0.0.1", free_port()))
            taken.listen()
            ended = run(*EXPORT, "--run-dir", folder, "--portal", f"127.0.0.1:{taken.getsockname()[1]}", timeout=120)
            self.assertEqual(ended.returncode, 1, ended.stderr)
            self.assertFalse(os.path.exists(os.path.join(folder, "control")))


if __name__ == "__main__":
    main()
