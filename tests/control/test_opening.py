# SPDX-License-Identifier: Apache-2.0
"""Storage that hangs while it is opened, at the start with a saveconfig.json."""
import json
import os
import signal
import subprocess
import tempfile
import time
import unittest

from control_case import TARGET, main
from control_socket import Control, Refused
import cdb
from daemon import REPORTS, Daemon, command_line, free_port, wait_until
from initiator import PATIENCE, LoginError, Session

HANG = os.environ["TCMU_RUNNER_HANG"]
BECOMING_READY = (2, 4, 1)
UNAVAILABLE = 0x0301  # A Login Response: the initiator may try again (RFC 7143 11.13.5).
# The daemon ends within 5 seconds; a busy machine gets more time.
STOP_BOUND = 20


class Opening(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="tcmur-opening-")
        self.addCleanup(folder.cleanup)
        self.folder, self.port = folder.name, free_port()
        self.handlers = os.path.join(self.folder, "handlers")
        os.mkdir(self.handlers)
        for source in (HANG, os.environ["TCMU_RUNNER_HANDLERS"]):
            for name in os.listdir(source):
                if name.endswith(".so"):
                    os.symlink(os.path.join(source, name), os.path.join(self.handlers, name))

    def write(self, *configs):
        disks = [{"plugin": "user", "name": f"d{number}", "config": config, "size": 16 << 20,
                  "wwn": f"{number}c1c2e6a-52de-4a38-9d1a-0c4e5f3d1b01"} for number, config in enumerate(configs)]
        portal = {"ip_address": "127.0.0.1", "iser": False, "offload": False, "port": self.port}
        tpg = {"tag": 1, "enable": True, "portals": [portal], "node_acls": [],
               "attributes": {"generate_node_acls": 1, "demo_mode_write_protect": 0, "authentication": 0},
               "luns": [{"index": number, "storage_object": f"/backstores/user/d{number}"}
                        for number in range(len(configs))]}
        path = os.path.join(self.folder, "saveconfig.json")
        with open(path, "w", encoding="utf-8") as file:
            json.dump({"fabric_modules": [], "storage_objects": disks,
                       "targets": [{"fabric": "iscsi", "wwn": TARGET, "tpgs": [tpg]}]}, file)
        os.chmod(path, 0o600)
        return ("--handler-path", self.handlers, "--saveconfig", path)

    def test_others_are_restored(self):
        """A disk whose storage hangs is reported as becoming ready, and is not deleted. The other disk is served."""
        daemon = Daemon(*self.write("hang/stuck/a", "alloc/b"), port=self.port, portal=False)
        self.addCleanup(daemon.kill)
        wait_until(lambda: "run/control" in daemon.output(), daemon.output)
        self.assertIn("becoming ready", daemon.output())
        session = Session(daemon.address, TARGET, timeout=60)
        self.addCleanup(session.connection.close)
        for _ in range(2):
            session.execute(cdb.TEST_UNIT_READY, lun=0)
            session.execute(cdb.TEST_UNIT_READY, lun=1)
        self.assertEqual(session.execute(cdb.TEST_UNIT_READY, lun=0).key, BECOMING_READY)
        self.assertEqual(session.execute(cdb.read10(0, 1), length=512, lun=0).key, BECOMING_READY)
        self.assertIn(b"0c1c2e6a", session.good(cdb.inquiry(0x80), length=255, lun=0))
        session.good(cdb.write10(0, 1), bytes(512), lun=1)
        with Control(daemon.socket) as control:
            self.assertEqual(control.call("list", path="user_0/d0")["state"], "opening")
            control.call("delete", path=TARGET, recursive=True)
            with self.assertRaises(Refused) as context:
                control.call("delete", path="user_0/d0")
            self.assertEqual(context.exception.errno, "EBUSY")
            self.assertEqual(control.call("list", path="user_0/d0")["state"], "removing")

    def test_initiators_try_again_during_the_start(self):
        """The portal of --export listens before the file is restored. The export is served, and a login to a target of
        the file gets a status after which initiators try again."""
        daemon = Daemon(*self.write("hang/slow/a"), "--export", "alloc/e,size=1M,name=e", port=self.port)
        self.addCleanup(daemon.kill)
        daemon.session("e").connection.close()
        statuses = set()

        def is_restored():
            try:
                Session(daemon.address, TARGET).connection.close()
            except LoginError as refused:
                statuses.add(refused.status)
                return False
            return True

        wait_until(is_restored, daemon.output)
        self.assertEqual(statuses, {UNAVAILABLE}, daemon.output())

    def stop_during_restore(self, *configs):
        """Returns the exit status of a daemon that SIGTERM reaches while it restores, its output, and the time."""
        log_path = os.path.join(self.folder, "log")
        where = ("--state-dir", os.path.join(self.folder, "state"), "--run-dir", os.path.join(self.folder, "run"))
        with open(log_path, "wb") as log:
            process = subprocess.Popen(command_line(*where, "--debug", *self.write(*configs)), stdout=log, stderr=log)

        def output():
            with open(log_path, encoding="utf-8", errors="replace") as log:
                return log.read()

        try:
            wait_until(lambda: "opening, was configured" in output(), output)
            begin = time.monotonic()
            process.send_signal(signal.SIGTERM)
            status = process.wait(PATIENCE)
        finally:
            process.kill()
            process.wait()
        return status, output(), time.monotonic() - begin

    def test_stop_while_storage_opens_slowly(self):
        status, output, _ = self.stop_during_restore("hang/slow/a", "alloc/b")
        self.assertEqual(status, 0, output)
        self.assertIn("a signal has ended the wait", output)
        self.assertFalse(any(report in output for report in REPORTS), output)

    def test_stop_while_many_disks_wait(self):
        """The daemon ends cleanly and in time, and the file is not touched."""
        configs = [f"alloc/d{number}" for number in range(200)]
        path = self.write(*configs)[-1]
        with open(path, "rb") as file:
            before = file.read()
        status, output, took = self.stop_during_restore(*configs)
        self.assertEqual(status, 0, output[-2000:])
        self.assertIn("a signal has ended the wait", output)
        self.assertFalse(any(report in output for report in REPORTS), output[-2000:])
        self.assertLess(took, STOP_BOUND)
        with open(path, "rb") as file:
            self.assertEqual(file.read(), before)
        self.assertEqual(sorted(os.listdir(self.folder)), ["handlers", "log", "run", "saveconfig.json", "state"])

    def test_stop_while_storage_hangs(self):
        status, output, took = self.stop_during_restore("hang/stuck/a", "alloc/b")
        self.assertEqual(status, 1, output)
        self.assertIn("user_0/d0: its storage does not answer while it is opened", output)
        self.assertLess(took, STOP_BOUND)


if __name__ == "__main__":
    main()
