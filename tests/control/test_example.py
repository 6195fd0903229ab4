# SPDX-License-Identifier: Apache-2.0
"""The example program does what its text says."""
import os
import subprocess
import sys

from control_case import HOST, TARGET, TPG, ControlCase, main
from control_socket import TIMEOUT

EXAMPLE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../tools/tcmuctl/example.py")


class Example(ControlCase):
    def run_example(self, *args):
        return subprocess.run([sys.executable, EXAMPLE, *args], capture_output=True, text=True, timeout=TIMEOUT,
                              check=False)

    def test_example(self):
        run = self.run_example(self.path, TARGET, HOST)
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertIn(f"event: created {TARGET}\n", run.stdout)
        self.assertIn(f"{HOST} sees the disk as LUN 0\n", run.stdout)
        self.assertIn(f"{TPG}/{HOST}/lun_0", self.paths())
        self.call("delete", path=TARGET, recursive=True)
        self.call("delete", path="example")

    def test_refused(self):
        run = self.run_example(self.path, "no-target", HOST)
        self.assertEqual(run.returncode, 1)
        self.assertIn("create: ", run.stderr)
        self.call("delete", path="example")
        self.assertEqual(self.run_example().returncode, 1)


if __name__ == "__main__":
    main()
