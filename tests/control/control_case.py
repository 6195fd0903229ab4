# SPDX-License-Identifier: Apache-2.0
"""The base class of the tests of the control socket: one daemon for a class of tests, its socket, and tcmuctl."""
import json
import os
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../iscsi"))
# pylint: disable=wrong-import-position
from control_socket import TIMEOUT, Control, Refused  # noqa: E402
from daemon import REPORTS, Daemon, wait_until  # noqa: E402

TCMUCTL = os.environ.get("TCMUCTL", "tcmuctl")
TARGET = "iqn.2026-11.com.example:disks"
TPG = TARGET + "/tpgt_1"
HOST = "iqn.1994-05.com.redhat:host"


class ControlCase(unittest.TestCase):
    args = ("--export", "alloc/a,size=64M,name=a")

    @classmethod
    def setUpClass(cls):
        cls.daemon = Daemon(*cls.args)
        cls.path = cls.daemon.socket

    @classmethod
    def tearDownClass(cls):
        cls.daemon.stop()

    def setUp(self):
        self.control = self.connect()
        # Removes what another test has left behind.
        self.addCleanup(self.clean)

    def connect(self):
        control = Control(self.path)
        self.addCleanup(control.close)
        return control

    def call(self, method, **params):
        return self.control.call(method, **params)

    def refused(self, errno, method, control=None, **params):
        """Calls the method, which must be refused with this errno. Returns the exception."""
        with self.assertRaises(Refused) as context:
            (control or self.control).call(method, **params)
        self.assertEqual(context.exception.errno, errno, str(context.exception))
        text = str(context.exception)
        self.assertTrue(text and "\n" not in text, text)
        return context.exception

    def wait_log(self, text):
        """The daemon writes its log on a thread of its own. Waits until the log contains the text, and returns the
        whole log."""
        wait_until(lambda: text in self.daemon.output(), self.daemon.output)
        return self.daemon.output()

    def clean(self):
        """Deletes everything except the exports of the command line."""
        with Control(self.path) as control:
            for child in control.call("list", depth=1)["children"]:
                if child["path"] == TARGET or child["path"].startswith("iqn.2026-11.com.example:"):
                    control.call("delete", path=child["path"], recursive=True)
            for child in control.call("list", depth=1)["children"]:
                if child["kind"] == "storage" and child["path"].startswith("user_0/t_"):
                    control.call("delete", path=child["path"])

    def create_disk(self, name="t_disk", size=1 << 20, **more):
        return self.call("create", path=name, enable=True,
                         attributes={"control/config": f"alloc/{name}", "control/size": size}, **more)

    def image(self, size=1 << 20):
        """Creates an image, which is removed after the test, and returns its path."""
        folder = tempfile.TemporaryDirectory(prefix="tcmur-image-")
        # The disk is deleted before its folder.
        self.addCleanup(lambda: (self.clean(), folder.cleanup()))
        path = os.path.join(folder.name, "disk.img")
        with open(path, "wb") as file:
            file.truncate(size)
        return path

    def create_target(self):
        """Creates a target with an enabled TPG."""
        self.call("create", path=TARGET)
        self.call("create", path=TPG, enable=True)

    def paths(self):
        def walk(tree):
            yield tree["path"]
            for child in tree.get("children", []):
                yield from walk(child)
        return list(walk(self.call("list")))

    # --- tcmuctl

    def tcmuctl(self, *args, status=0, stdin=None, env=None):
        """Runs tcmuctl, which must end with this status. Returns what it has printed."""
        environment = os.environ | {"TCMU_SOCKET": self.path} | (env or {})
        run = subprocess.run([TCMUCTL, *args], input=stdin, capture_output=True, text=True, timeout=TIMEOUT,
                             check=False, env=environment)
        self.assertEqual(run.returncode, status, f"tcmuctl {' '.join(args)}: {run.stdout}{run.stderr}")
        self.assertFalse(any(report in run.stderr for report in REPORTS), run.stderr)
        self.errors = run.stderr
        if status in (1, 2, 3, 4):
            self.assertRegex(run.stderr, r"^tcmuctl\b.*: ")
        else:
            self.assertEqual(run.stderr, "")
        return run.stdout

    def tcmuctl_json(self, *args, status=0, **options):
        return json.loads(self.tcmuctl(*args, "--json", status=status, **options))


main = unittest.main
