# SPDX-License-Identifier: Apache-2.0
"""Tests --saveconfig: what initiators see after a saveconfig.json was restored, and what happens to parts that cannot be
restored."""
import json
import os
import signal
import tempfile
import time
import unittest

import cdb
import daemon
from case import main
from daemon import Daemon, free_port, lun_numbers, wait_until, wait_until_ready
from initiator import Chap, LoginError, Session

ONE, OPEN = "iqn.2026-11.com.example:one", "iqn.2026-11.com.example:open"
ACL, OTHER = "iqn.2026-11.test:initiator", "iqn.2026-11.test:other"
# LIO makes the NAA designator from the first 25 digits.
SERIALS = [f"{i}c1c2e6a-52de-4a38-9d1a-0c4e5f3d1b01" for i in range(3)]
SECRET = "initiator-secret-1"
NOT_READY, WRITE_PROTECTED = 2, 7
NOT_FOUND, FAILED, UNAVAILABLE = 0x0203, 0x0201, 0x0301


def serial(session, lun):
    data = session.good(cdb.inquiry(0x80), length=255, lun=lun)
    return data[4:].decode()


class Saveconfig(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="tcmur-saveconfig-")
        self.addCleanup(folder.cleanup)
        self.folder, self.port = folder.name, free_port()
        self.path = os.path.join(self.folder, "saveconfig.json")
        with open(os.path.join(self.folder, "disk.img"), "wb") as file:
            file.truncate(1 << 20)

    def config(self):
        """Returns what Debian's targetcli writes, without the attributes that have their defaults."""
        portal = {"ip_address": "127.0.0.1", "iser": False, "offload": False, "port": self.port}
        acl = {"node_wwn": ACL, "chap_userid": "alice", "chap_password": SECRET, "mapped_luns": [
            {"index": 0, "tpg_lun": 5, "write_protect": True, "alias": "a"},
            {"index": 7, "tpg_lun": 0, "write_protect": False, "alias": "b"}]}
        return {
            "fabric_modules": [],
            "storage_objects": [
                {"plugin": "fileio", "name": "disk", "dev": os.path.join(self.folder, "disk.img"), "size": 1 << 20,
                 "wwn": SERIALS[0], "write_back": False, "attributes": {"emulate_write_cache": 0}},
                {"plugin": "ramdisk", "name": "memory", "size": 1 << 22, "wwn": SERIALS[1]},
                {"plugin": "user", "name": "late", "config": "file/" + os.path.join(self.folder, "late.img"),
                 "size": 1 << 20, "wwn": SERIALS[2]}],
            "targets": [
                {"fabric": "iscsi", "wwn": ONE, "tpgs": [
                    {"tag": 1, "enable": True, "attributes": {"authentication": 1, "generate_node_acls": 0},
                     "portals": [portal], "node_acls": [acl], "luns": [
                         {"index": 0, "storage_object": "/backstores/fileio/disk"},
                         {"index": 5, "storage_object": "/backstores/ramdisk/memory"}]}]},
                {"fabric": "iscsi", "wwn": OPEN, "tpgs": [
                    {"tag": 1, "enable": True, "portals": [portal], "node_acls": [],
                     "attributes": {"generate_node_acls": 1, "demo_mode_write_protect": 0, "authentication": 0},
                     "luns": [{"index": 3, "storage_object": "/backstores/user/late"},
                              {"index": 4, "storage_object": "/backstores/ramdisk/memory"}]}]}]}

    def write(self, config):
        with open(self.path, "w", encoding="utf-8") as file:
            json.dump(config, file)
        os.chmod(self.path, 0o600)

    def daemon(self, config=None, *args):
        self.write(config or self.config())
        started = Daemon("--saveconfig", self.path, "--run-dir", os.path.join(self.folder, "run"), *args,
                         port=self.port, portal=False)
        # The start is over when the daemon says where its control socket is.
        wait_until(lambda: "run/control" in started.output(), started.output)
        return started

    def login(self, started, target=ONE, **options):
        session = Session(started.address, target, **options)
        self.addCleanup(session.connection.close)
        return session

    def refused(self, started, status, target=ONE, **options):
        with self.assertRaises(LoginError) as caught:
            self.login(started, target, **options)
        self.assertEqual(caught.exception.status, status)

    def test_initiators_see_what_they_saw_of_lio(self):
        with self.daemon() as started:
            self.refused(started, FAILED, initiator=ACL)
            self.refused(started, NOT_FOUND, initiator=OTHER)
            session = self.login(started, initiator=ACL, chap=Chap("alice", SECRET))
            self.assertEqual(lun_numbers(session), [0, 7])
            self.assertEqual(serial(session, 7), SERIALS[0])
            self.assertEqual(serial(session, 0), SERIALS[1])
            wait_until_ready(session, 7)
            wait_until_ready(session, 0)
            session.good(cdb.write10(0, 1), b"x" * 512, lun=7)
            task = session.execute(cdb.write10(0, 1), b"x" * 512, lun=0)
            self.assertEqual(task.key[0], WRITE_PROTECTED)
            # WCE of the caching mode page: the file says that the disk has no write cache.
            self.assertEqual(session.good(cdb.mode_sense6(8), length=255, lun=7)[4 + 2] & 4, 0)
            session.logout()
        with open(os.path.join(self.folder, "disk.img"), "rb") as file:
            self.assertEqual(file.read(512), b"x" * 512)

    def test_storage_that_is_missing_is_served_later(self):
        with self.daemon() as started:
            session = self.login(started, OPEN)
            self.assertEqual(lun_numbers(session), [3, 4])
            wait_until(lambda: session.execute(cdb.TEST_UNIT_READY, lun=3).key[0] == NOT_READY)
            wait_until_ready(session, 4)
            self.assertIn("late.img: no such file", started.output())
            self.assertFalse(os.path.exists(os.path.join(self.folder, "late.img")))
            with open(os.path.join(self.folder, "late.img"), "wb") as file:
                file.truncate(1 << 20)
            wait_until(lambda: session.execute(cdb.TEST_UNIT_READY, lun=3).status == 0, started.output)
            self.assertEqual(serial(session, 3), SERIALS[2])
            session.logout()

    def test_the_rest_is_restored(self):
        config = self.config()
        config["storage_objects"].insert(0, {"plugin": "pscsi", "name": "tape", "dev": "/dev/sg0"})
        config["storage_objects"].append({"plugin": "user", "name": "rbd", "config": "rbd/pool/image", "size": 512})
        tpg = config["targets"][1]["tpgs"][0]
        tpg["luns"].append({"index": 9, "storage_object": "/backstores/user/rbd"})
        config["targets"].insert(0, {"fabric": "vhost", "wwn": "naa.5001405", "tpgs": []})
        with self.daemon(config) as started:
            output = started.output()
            for text in ("storage_objects[0]", "storage_objects[4]", "no handler \"rbd\"", "targets[0]", "luns[2]"):
                self.assertIn(text, output)
            self.assertNotIn(SECRET, output)
            session = self.login(started, OPEN)
            self.assertEqual(lun_numbers(session), [3, 4])
            session.logout()

    def test_settings_without_effect_are_counted(self):
        config = self.config()
        config["storage_objects"][0]["alua_tpgs"] = [{"name": "default_tg_pt_gp", "alua_access_state": 0},
                                                     {"name": "standby", "alua_access_state": 2}]
        with self.daemon(config) as started:
            self.assertIn("settings that are kept and have no effect here: 1;", started.output())

    def test_access_is_not_wider_than_the_file_says(self):
        config = self.config()
        config["targets"][1]["tpgs"][0]["enable"] = False
        own = {"enable": True, "denied_addresses": ["127.0.0.0/8"]}
        config["tcmu_runner"] = {"version": 1, "targets": {OPEN: {"tpgs": {"1": own}}}}
        with self.daemon(config) as started:
            self.refused(started, NOT_FOUND, OPEN)
        own["denied_addresses"] = ["192.0.2.0/24"]
        with self.daemon(config) as started:
            self.login(started, OPEN).logout()
        own["only_on_mondays"] = True
        with self.daemon(config) as started:
            self.refused(started, UNAVAILABLE, OPEN)
            self.assertIn("only_on_mondays", started.output())

    def test_sighup_changes_nothing(self):
        with self.daemon() as started:
            session = self.login(started, OPEN)
            config = self.config()
            config["targets"][1]["tpgs"][0]["luns"].pop()
            del config["targets"][0]
            self.write(config)
            before = os.stat(self.path)
            started.process.send_signal(signal.SIGHUP)
            time.sleep(0.5)  # something must not happen during this time
            self.assertEqual(lun_numbers(session), [3, 4])
            self.login(started, initiator=ACL, chap=Chap("alice", SECRET)).logout()
            session.logout()
            self.assertEqual(os.stat(self.path).st_mtime_ns, before.st_mtime_ns)

    def test_beside_exports(self):
        port = free_port()
        with self.daemon(None, "--export", "alloc/a,size=16M,name=a", "--portal", f"127.0.0.1:{port}",
                         "--allow-any") as started:
            session = self.login(started, OPEN)
            self.assertEqual(lun_numbers(session), [3, 4])
            session.logout()
            Session(("127.0.0.1", port), daemon.IQN + "a").logout()

    def test_a_file_that_is_no_configuration(self):
        for text, reason in (("{", "not JSON"), ("[]", "one JSON object"), ('{"targets": 1}', "not a list"),
                             ('{"tcmu_runner": {"version": 2}}', "version")):
            with open(self.path, "w", encoding="ascii") as file:
                file.write(text)
            result = daemon.run("--saveconfig", self.path, "--run-dir", os.path.join(self.folder, "run"))
            self.assertEqual(result.returncode, 1, result.stderr)
            self.assertIn(reason, result.stderr)
            self.assertIn(self.path, result.stderr)
            with open(self.path, encoding="ascii") as file:
                self.assertEqual(file.read(), text)

    def test_check(self):
        self.write(self.config())
        result = daemon.run("--check-saveconfig", self.path)
        self.assertEqual((result.returncode, result.stdout, result.stderr), (0, "", ""))
        with open(self.path, "w", encoding="ascii") as file:
            file.write('{"storage_objects": [\n{"plugin": "user", "name": "a"}]}')
        result = daemon.run("--check-saveconfig", self.path)
        self.assertEqual(result.returncode, 1)
        self.assertIn("line 2, storage_objects[0]", result.stdout)

    def test_check_settings_without_an_object(self):
        with open(self.path, "w", encoding="ascii") as file:
            json.dump({"tcmu_runner": {"version": 1, "targets": {ONE: {}}}}, file)
        os.chmod(self.path, 0o600)
        result = daemon.run("--check-saveconfig", self.path)
        self.assertEqual(result.returncode, 1)
        self.assertIn(f'line 1, tcmu_runner.targets["{ONE}"]: the file has no such target', result.stdout)


if __name__ == "__main__":
    main()
