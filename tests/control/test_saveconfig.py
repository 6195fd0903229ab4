# SPDX-License-Identifier: Apache-2.0
"""A daemon with --saveconfig: save, reload and restart, as initiators see them."""
import json
import os
import stat
import subprocess
import sys
import tempfile
import threading
import unittest

import control_case  # noqa: F401  # pylint: disable=unused-import
import cdb
from case import main
from control_socket import Control, Refused
from daemon import Daemon, free_port, lun_numbers, wait_until, wait_until_ready
from initiator import Session

ONE, OPEN = "iqn.2026-11.com.example:one", "iqn.2026-11.com.example:open"
HOST = "iqn.2026-11.test:initiator"
ROUNDS = 8


class Saveconfig(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="tcmur-saveconfig-")
        self.addCleanup(folder.cleanup)
        self.folder, self.port = folder.name, free_port()
        self.config_folder = os.path.join(self.folder, "config")
        os.mkdir(self.config_folder)
        self.path = os.path.join(self.config_folder, "saveconfig.json")
        for name in ("a", "b"):
            with open(os.path.join(self.folder, name), "wb") as file:
                file.truncate(1 << 20)
        portal = {"ip_address": "127.0.0.1", "port": self.port}
        disks = [{"plugin": "user", "name": name, "config": f"file/{self.folder}/{name}", "size": 1 << 20,
                  "comment": "kept"} for name in ("a", "b")]
        tpg = {"tag": 1, "portals": [portal], "node_acls": [{"node_wwn": HOST, "mapped_luns": [
            {"index": 0, "tpg_lun": 0, "write_protect": False}]}],
            "luns": [{"index": 0, "storage_object": "/backstores/user/a"}]}
        opened = {"tag": 1, "portals": [portal], "attributes": {"generate_node_acls": 1},
                  "luns": [{"index": 4, "storage_object": "/backstores/user/b"}]}
        self.write({"storage_objects": disks, "targets": [
            {"fabric": "iscsi", "wwn": ONE, "tpgs": [tpg]}, {"fabric": "iscsi", "wwn": OPEN, "tpgs": [opened]}]})

    def write(self, config):
        with open(self.path, "w", encoding="utf-8") as file:
            json.dump(config, file)
        os.chmod(self.path, 0o600)

    def read(self):
        with open(self.path, encoding="utf-8") as file:
            return json.load(file)

    def daemon(self):
        run = os.path.join(self.folder, "run")
        daemon = Daemon("--saveconfig", self.path, "--run-dir", run, "--state-dir", os.path.join(self.folder, "state"),
                        port=self.port, portal=False)
        wait_until(lambda: "run/control" in daemon.output(), daemon.output)
        return daemon

    def control(self):
        control = Control(os.path.join(self.folder, "run", "control"))
        self.addCleanup(control.close)
        return control

    def login(self, target):
        session = Session(("127.0.0.1", self.port), target, initiator=HOST)
        self.addCleanup(session.connection.close)
        return session

    def test_reload_leaves_live_sessions_alone(self):
        with self.daemon():
            control, one, opened = self.control(), self.login(ONE), self.login(OPEN)
            wait_until_ready(one, 0)
            wait_until_ready(opened, 4)
            config = self.read()
            config["targets"][0]["tpgs"][0]["luns"].append({"index": 1, "storage_object": "/backstores/user/b"})
            config["targets"][0]["tpgs"][0]["node_acls"][0]["mapped_luns"].append({"index": 9, "tpg_lun": 1})
            self.write(config)
            self.assertEqual(control.call("reload"), {"lines": []})
            self.assertEqual(control.call("diff"), {"lines": []})
            wait_until_ready(opened, 4)
            wait_until_ready(one, 0)
            self.assertEqual(lun_numbers(one), [0, 9])
            one.logout()
            opened.logout()

    def relative_port(self, target, lun):
        """Logs in, and returns the relative target port identifier that INQUIRY has, and the session."""
        session = self.login(target)
        wait_until_ready(session, lun)
        page = session.good(cdb.inquiry(0x83), length=255, lun=lun)
        at = 4
        while page[at + 1] & 0x0F != 4:
            at += 4 + page[at + 3]
        return int.from_bytes(page[at + 6:at + 8], "big"), session

    def test_targets_exchange_relative_ports(self):
        with self.daemon():
            control = self.control()
            (one, first), (opened, second) = self.relative_port(ONE, 0), self.relative_port(OPEN, 4)
            self.assertEqual((one, opened), (1, 2))
            control.call("save")
            config = self.read()
            targets = config["tcmu_runner"]["targets"]
            tpgs = [targets[name]["tpgs"]["1"] for name in (ONE, OPEN)]
            tpgs[0]["rtpi"], tpgs[1]["rtpi"] = 2, 1
            self.write(config)
            self.assertEqual(control.call("reload"), {"lines": []})
            first.connection.wait_closed()
            second.connection.wait_closed()
            self.assertEqual([self.relative_port(ONE, 0)[0], self.relative_port(OPEN, 4)[0]], [2, 1])
            self.assertEqual(control.call("diff"), {"lines": []})

    def test_unsaved_changes_are_not_lost(self):
        with self.daemon():
            control = self.control()
            status = control.call("status")
            self.assertIs(status["unsaved_changes"], False)
            self.assertTrue(status["saveconfig"].endswith(".json"), status)
            control.call("set", path=ONE + "/tpgt_1", attribute="auth/password", value="never-shown-123")
            control.call("set", path=ONE + "/tpgt_1", attribute="attrib/default_cmdsn_depth", value=17)
            self.assertIs(control.call("status")["unsaved_changes"], True)
            with self.assertRaises(Refused) as refused:
                control.call("reload")
            self.assertNotIn("never-shown", str(refused.exception))
            self.assertEqual(control.call("save"), {"lines": []})
            self.assertEqual(control.call("reload"), {"lines": []})
            tpg = self.read()["targets"][0]["tpgs"][0]
            self.assertEqual((tpg["chap_password"], tpg["attributes"]["default_cmdsn_depth"]), ("never-shown-123", 17))
            control.call("set", path=ONE + "/tpgt_1", attribute="attrib/default_cmdsn_depth", value=18)
            control.call("reload", discard=True)
            value = control.call("get", path=ONE + "/tpgt_1", attribute="attrib/default_cmdsn_depth")["value"]
            self.assertEqual(value, 17)

    def test_what_was_saved_is_restored(self):
        with self.daemon():
            control = self.control()
            control.call("set", path=OPEN + "/tpgt_1", attribute="attrib/denied_addresses", value="192.0.2.0/24")
            lines = control.call("save")["lines"]
            self.assertEqual(len(lines), 1)
            self.assertIn(OPEN + "/tpgt_1 is saved as disabled", lines[0])
        with open(self.path, "rb") as file:
            before = file.read()
        self.assertEqual(stat.S_IMODE(os.stat(self.path).st_mode), 0o600)
        saved = self.read()
        self.assertEqual([o["comment"] for o in saved["storage_objects"]], ["kept", "kept"])
        self.assertTrue(all(o["wwn"] for o in saved["storage_objects"]))
        self.assertIs(saved["targets"][1]["tpgs"][0]["enable"], False)
        with self.daemon():
            session = self.login(OPEN)
            serial = session.good(cdb.inquiry(0x80), length=255, lun=4)[4:].decode()
            self.assertEqual(serial, saved["storage_objects"][1]["wwn"])
            session.logout()
            self.control().call("save")
        with open(self.path, "rb") as file:
            self.assertEqual(file.read(), before)

    def test_a_write_cache_that_nobody_has_set(self):
        """Until an administrator sets the attribute, the write cache is as the storage reports it. A reload, a save and a
        restart do not change this."""
        name = "emulate_write_cache"

        def cache():
            return control.call("list", path="b")["write_cache"]
        with self.daemon():
            control = self.control()
            self.assertIs(cache(), True)
            control.call("set", path="b", attribute="attrib/" + name, value=False)
            self.assertEqual(control.call("diff"), {"lines": [f"~ user/b {name}: auto in the file, 0 now"]})
            control.call("reload", discard=True)
            self.assertIs(cache(), True)
            config = self.read()
            config["storage_objects"][1]["attributes"] = {name: 0}
            self.write(config)
            self.assertEqual(control.call("reload"), {"lines": []})
            self.assertIs(cache(), False)
            control.call("set", path="b", attribute="attrib/" + name, value="auto")
            control.call("save")
            self.assertNotIn(name, self.read()["storage_objects"][1].get("attributes", {}))
        with self.daemon():
            control = self.control()
            self.assertIs(cache(), True)

    def test_filters_that_were_changed(self):
        """A reload refuses to lose them, and changes them back while an initiator uses the disk."""
        config = self.read()
        config["storage_objects"][1]["config"] += ";filter=delay;read=1ms"
        self.write(config)
        with self.daemon():
            session = self.login(OPEN)
            wait_until_ready(session, 4)
            with self.control() as control:
                control.call("set_filter", path="user_1/b", filter="delay", option="read", value="2ms")
                self.assertTrue(control.call("status")["unsaved_changes"])
                with self.assertRaises(Refused) as context:
                    control.call("reload")
                self.assertEqual(context.exception.errno, "EBUSY")
                control.call("reload", discard=True)
                filters = control.call("filters", path="user_1/b")["filters"]
                self.assertEqual(filters[0]["options"], {"read": "1ms"})
                self.assertFalse(control.call("status")["unsaved_changes"])
                control.call("set_filter", path="user_1/b", filter="delay", option="read", value="3ms")
                control.call("save")
            session.good(cdb.read10(0, 1), length=512, lun=4)
        with self.daemon(), self.control() as control:
            self.assertEqual(control.call("filters", path="user_1/b")["filters"][0]["options"], {"read": "3ms"})

    def test_a_limit_that_was_removed_does_not_close_the_tpg(self):
        with self.daemon():
            control = self.control()
            for name in ("allowed_addresses", "denied_addresses"):
                control.call("set", path=OPEN + "/tpgt_1", attribute="attrib/" + name, value="192.0.2.0/24")
            control.call("save")
            for name in ("allowed_addresses", "denied_addresses"):
                control.call("set", path=OPEN + "/tpgt_1", attribute="attrib/" + name, value="")
            self.assertEqual(control.call("save"), {"lines": []})
            self.assertIs(control.call("status")["unsaved_changes"], False)
        self.assertNotIn("addresses", json.dumps(self.read()))
        with self.daemon():
            self.assertEqual(lun_numbers(self.login(OPEN)), [4])
            self.assertIs(self.control().call("status")["unsaved_changes"], False)

    def test_status_shows_a_tpg_that_stays_disabled(self):
        config = self.read()
        config["targets"][0]["tpgs"][0]["attributes"] = {"authentication": "x"}
        own = {OPEN: {"tpgs": {"1": {"only_on_mondays": True}}}}
        config["tcmu_runner"] = {"version": 1, "targets": own}
        self.write(config)
        with self.daemon():
            control = self.control()
            status = control.call("status")
            self.assertIs(status["degraded"], True)
            problems = [(problem["path"], problem["problem"]) for problem in status["problems"]]
            self.assertEqual([path for path, _ in problems], [ONE + "/tpgt_1", ONE + "/tpgt_1", OPEN + "/tpgt_1"])
            self.assertIn("stays disabled: authentication cannot be set", problems[0][1])
            self.assertIn("authentication cannot be set", problems[1][1])
            self.assertIn('stays disabled: its settings under "tcmu_runner" cannot be used', problems[2][1])
            control.call("set", path=ONE + "/tpgt_1", attribute="attrib/authentication", value=True)
            control.call("enable", path=ONE + "/tpgt_1")
            control.call("enable", path=OPEN + "/tpgt_1")
            status = control.call("status")
            self.assertEqual((status["degraded"], status["problems"]), (False, []))
            lines = control.call("save")["lines"]
            self.assertEqual(len(lines), 1)
            self.assertIn(OPEN + "/tpgt_1 is saved as disabled", lines[0])
        self.assertEqual([target["tpgs"][0]["enable"] for target in self.read()["targets"]], [True, False])

    def test_dies_while_it_saves(self):
        """Whatever files a killed daemon leaves behind, the next daemon starts with one of the two configurations."""
        for _ in range(ROUNDS):
            daemon = self.daemon()

            def save_for_ever():
                try:
                    with Control(os.path.join(self.folder, "run", "control")) as control:
                        for depth in range(1, 1000):
                            control.call("set", path=ONE + "/tpgt_1", attribute="attrib/default_cmdsn_depth", value=depth)
                            control.call("save")
                            saves.append(depth)
                except (OSError, Refused, ValueError, EOFError, AssertionError):
                    pass  # the daemon has ended

            saves = []
            thread = threading.Thread(target=save_for_ever)
            thread.start()
            wait_until(lambda: len(saves) > 2)
            daemon.process.kill()
            daemon.process.wait()
            thread.join()
            daemon.cleanup()
            depth = self.read()["targets"][0]["tpgs"][0]["attributes"]["default_cmdsn_depth"]
            self.assertIn(depth, (saves[-1], saves[-1] + 1))
        with self.daemon():
            self.assertEqual(self.control().call("diff"), {"lines": []})

    @unittest.skipUnless(sys.platform == "linux" and os.geteuid() == 0, "only root can mount a small file system")
    def test_full_disk(self):
        config = self.read()
        mount = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k,nr_inodes=100,mode=700", "tcmur", self.config_folder],
                               capture_output=True, check=False)
        if mount.returncode:
            self.skipTest("nothing can be mounted here")
        self.addCleanup(subprocess.run, ["umount", self.config_folder], check=True)
        self.write(config)
        with self.daemon():
            control = self.control()
            for i in range(60):
                control.call("create", path=f"iqn.2026-11.com.example:target{i}")
            with open(self.path, "rb") as file:
                before = file.read()
            with open(os.path.join(self.config_folder, "filler"), "wb", buffering=0) as filler:
                try:
                    while filler.write(b"x" * 512):
                        pass
                except OSError:
                    pass
            with self.assertRaises(Refused) as refused:
                control.call("save")
            self.assertIn("No space left", str(refused.exception))
            with open(self.path, "rb") as file:
                self.assertEqual(file.read(), before)
            os.unlink(os.path.join(self.config_folder, "filler"))
            control.call("save")
            self.assertEqual(len(self.read()["targets"]), 62)


if __name__ == "__main__":
    main()
