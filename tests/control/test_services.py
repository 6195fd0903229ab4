# SPDX-License-Identifier: Apache-2.0
"""Root's tcmuctl without --socket asks the daemons of both services. Their folders are in /run, so this test needs
a mount namespace with an empty /run."""
import os
import subprocess
import sys
import unittest

from control_case import TARGET, ControlCase, main
from daemon import Daemon

MARK = "TCMUR_TEST_HAS_OWN_RUN"


def enter_namespace():
    """Runs this program again with an empty /run. Returns if that is not possible."""
    if os.geteuid() or MARK in os.environ:
        return
    script = 'mount --make-rprivate / && mount -t tmpfs none /run && exec "$@"'
    command = ["unshare", "--mount", "sh", "-c", script, "sh", sys.executable, *sys.argv]
    try:
        subprocess.run([*command[:5], "sh", "true"], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        return
    os.environ[MARK] = "1"
    os.execvp(command[0], command)


@unittest.skipUnless(MARK in os.environ, "root and a mount namespace are needed")
class Services(ControlCase):
    @classmethod
    def setUpClass(cls):
        folder = "/run/tcmu-runner"
        cls.other = Daemon("--export", "alloc/k,size=1M,name=k", "--run-dir", folder)
        cls.daemon = Daemon(*cls.args, "--run-dir", folder + "-iscsi")
        cls.path = folder + "-iscsi/control"

    @classmethod
    def tearDownClass(cls):
        cls.other.stop()
        cls.daemon.stop()

    def tcmuctl_of_root(self, *args, **options):
        """Runs tcmuctl without TCMU_SOCKET."""
        return self.tcmuctl(*args, env={"TCMU_SOCKET": ""}, **options)

    def test_show(self):
        text = self.tcmuctl_of_root("status")
        self.assertRegex(text, rf"(?m)^tcmu-runner: version .* process {self.other.process.pid},")
        self.assertRegex(text, rf"(?m)^tcmu-runner-iscsi: version .* process {self.daemon.process.pid},")
        self.assertEqual(self.tcmuctl_of_root("ls").count("o- / "), 2)
        self.assertEqual(self.tcmuctl_of_root("luns").count("LUN 0"), 2)

    def test_change(self):
        """A new object belongs to the iSCSI service. Existing objects are changed in the service that has them."""
        self.tcmuctl_of_root("create", TARGET)
        self.assertIn(TARGET, self.paths())
        old = next(line for line in self.tcmuctl_of_root("ls", "--paths").splitlines() if line.endswith(":k"))
        self.assertNotIn(old, self.paths())
        self.tcmuctl_of_root("disable", old)
        self.assertIn("[disabled", self.tcmuctl_of_root("ls", old))
        self.tcmuctl_of_root("enable", old)
        self.tcmuctl_of_root("set", "/", "discovery_auth/userid", "discoverer")
        self.assertEqual(self.call("get", path="/", attribute="discovery_auth/userid")["value"], "discoverer")
        self.tcmuctl_of_root("delete", TARGET, "-r")
        self.tcmuctl_of_root("delete", TARGET, status=4)


if __name__ == "__main__":
    enter_namespace()
    main()
