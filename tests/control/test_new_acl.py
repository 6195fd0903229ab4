# SPDX-License-Identifier: Apache-2.0
"""An initiator that is logged in without an ACL gets one: its session sees what the ACL gives, or ends."""
import json
import os
import tempfile
import threading
import unittest

from control_case import TARGET, TPG, ControlCase, main
import cdb
from control_socket import Control
from daemon import Daemon, free_port, lun_numbers, wait_until_ready
from initiator import Chap, Session

HOST = "iqn.2026-11.com.example:host"
ACL = f"{TPG}/{HOST}"
LUNS_CHANGED = (6, 0x3F, 0x0E)
BLOCK = bytes(range(256)) * 2


class NewAcl(ControlCase):
    def setUp(self):
        super().setUp()
        self.create_target()
        self.call("set", path=TPG, attribute="attrib/generate_node_acls", value=1)
        self.call("set", path=TPG, attribute="attrib/demo_mode_write_protect", value=0)
        for lun, name in enumerate(("t_one", "t_two")):
            self.create_disk(name)
            self.call("map", path=TARGET, storage=name, lun=lun)
        self.call("create", path=f"{TPG}/127.0.0.1:{self.daemon.address[1]}")

    def login(self, initiator=HOST, **options):
        session = Session(self.daemon.address, TARGET, initiator=initiator, timeout=60, **options)
        self.addCleanup(session.connection.close)
        for lun in lun_numbers(session):
            wait_until_ready(session, lun)
        return session

    def test_access_changes_at_once(self):
        session, other = self.login(), self.login(HOST + "2")
        self.call("create", path=ACL)
        # When the creation is answered, the session sees the LUNs of the ACL, which has none.
        self.assertEqual(session.execute(cdb.read10(0, 1), length=512).key, cdb.NO_SUCH_LUN)
        self.assertEqual(lun_numbers(session), [])
        self.call("map", path=TARGET, storage="t_two", initiator=HOST, lun=7)
        wait_until_ready(session, 7)
        self.assertEqual(lun_numbers(session), [7])
        self.assertEqual(lun_numbers(other), [0, 1])
        self.assertEqual(self.call("get", path=TPG, attribute="dynamic_sessions")["value"], HOST + "2")
        self.assertIn("Session State: TARG_SESS_STATE_LOGGED_IN",
                      self.call("get", path=ACL, attribute="info")["value"])
        self.call("delete", path=ACL, recursive=True)
        session.connection.wait_closed()
        self.assertEqual(lun_numbers(self.login()), [0, 1])
        other.good(cdb.TEST_UNIT_READY)

    def test_first_lun_of_an_acl(self):
        """tcmuctl map creates the ACL together with its LUN: commands for the same disk are not interrupted."""
        session = self.login()
        self.tcmuctl("map", TARGET, "t_two", "--initiator", HOST, "--lun", "1")
        self.assertEqual(session.execute(cdb.TEST_UNIT_READY).key, cdb.NO_SUCH_LUN)
        self.assertEqual(session.execute(cdb.read10(0, 1), length=512, lun=1).key, LUNS_CHANGED)
        session.good(cdb.write10(0, 1), BLOCK, lun=1)
        self.assertEqual(lun_numbers(session), [1])

    def test_authentication(self):
        """The initiator has not authenticated itself for the new ACL, so the session ends."""
        session = self.login()
        values = {"attrib/authentication": "1", "auth/userid": "host", "auth/password": "secret-of-host"}
        self.call("create", path=ACL, attributes=values)
        session.connection.wait_closed()
        self.call("map", path=TARGET, storage="t_one", initiator=HOST)
        self.assertEqual(lun_numbers(self.login(chap=Chap("host", "secret-of-host"))), [0])

    def test_authentication_is_demanded_later(self):
        session = self.login()
        self.call("map", path=TARGET, storage="t_one", initiator=HOST)
        wait_until_ready(session, 0)
        self.call("set", path=TPG, attribute="param/AuthMethod", value="CHAP")
        session.connection.wait_closed()


class Reload(unittest.TestCase):
    def start(self, luns):
        """Starts a daemon with a file whose target has so many LUNs, and no ACL."""
        folder = tempfile.TemporaryDirectory(prefix="tcmur-acl-")
        self.addCleanup(folder.cleanup)
        self.file, port = os.path.join(folder.name, "saveconfig.json"), free_port()
        disks = [{"plugin": "user", "name": f"disk{lun}", "config": f"alloc/disk{lun}", "size": 1 << 20}
                 for lun in range(luns)]
        self.tpg = {"tag": 1, "portals": [{"ip_address": "127.0.0.1", "port": port}],
                    "attributes": {"generate_node_acls": 1, "demo_mode_write_protect": 0},
                    "luns": [{"index": lun, "storage_object": f"/backstores/user/disk{lun}"} for lun in range(luns)]}
        self.config = {"storage_objects": disks,
                       "targets": [{"fabric": "iscsi", "wwn": TARGET, "tpgs": [self.tpg]}]}
        self.write()
        self.daemon = Daemon("--saveconfig", self.file, "--state-dir", os.path.join(folder.name, "state"), port=port,
                             portal=False)
        self.addCleanup(self.daemon.stop)
        self.control = Control(self.daemon.socket)
        self.addCleanup(self.control.close)
        # The daemon answers when it has restored the file.
        self.assertEqual(self.control.call("diff"), {"lines": []})

    def write(self):
        with open(self.file, "w", encoding="utf-8") as file:
            json.dump(self.config, file)

    def reload(self):
        self.write()
        self.assertEqual(self.control.call("reload"), {"lines": []})

    def session(self):
        session = Session(self.daemon.address, TARGET, initiator=HOST, timeout=60)
        self.addCleanup(session.connection.close)
        return session

    def test_disks_stay_in_use(self):
        """The session never sees an ACL that has only some of its LUNs."""
        luns = 30
        self.start(luns)
        session, seen, stop = self.session(), set(), threading.Event()
        for lun in range(luns):
            wait_until_ready(session, lun)

        def write():
            while not stop.is_set():
                seen.add(session.execute(cdb.write10(0, 1), BLOCK, lun=luns - 1).key)

        thread = threading.Thread(target=write)
        thread.start()
        try:
            self.tpg["node_acls"] = [{"node_wwn": HOST, "mapped_luns": [
                {"index": lun, "tpg_lun": lun, "write_protect": False} for lun in range(luns)]}]
            self.reload()
        finally:
            stop.set()
            thread.join()
        self.assertEqual(seen | {None, LUNS_CHANGED}, {None, LUNS_CHANGED})
        self.assertEqual(len(lun_numbers(session)), luns)
        self.assertEqual(self.control.call("get", path=TPG, attribute="dynamic_sessions")["value"], "")

    def test_access_changes_at_once(self):
        self.start(2)
        session = self.session()
        for lun in range(2):
            wait_until_ready(session, lun)
        self.tpg["node_acls"] = [{"node_wwn": HOST, "mapped_luns": [{"index": 1, "tpg_lun": 1, "write_protect": True}]}]
        self.reload()
        self.assertEqual(session.execute(cdb.TEST_UNIT_READY).key, cdb.NO_SUCH_LUN)
        wait_until_ready(session, 1)
        self.assertEqual(session.execute(cdb.write10(0, 1), BLOCK, lun=1).key, cdb.WRITE_PROTECTED)
        self.tpg["node_acls"] = []
        self.reload()
        session.connection.wait_closed()

    def test_authentication(self):
        self.start(1)
        session = self.session()
        self.tpg["node_acls"] = [{"node_wwn": HOST, "attributes": {"authentication": "1"}, "chap_userid": "host",
                                  "chap_password": "secret-of-host", "mapped_luns": [{"index": 0, "tpg_lun": 0}]}]
        self.reload()
        session.connection.wait_closed()


if __name__ == "__main__":
    main()
