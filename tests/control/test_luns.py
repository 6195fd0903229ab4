# SPDX-License-Identifier: Apache-2.0
"""What a session notices of changes: LUNs that come, go and lead to another disk, and write protection."""
from control_case import TARGET, TPG, ControlCase, main
import cdb
from daemon import lun_numbers, wait_until_ready
from initiator import Session

HOST = "iqn.1994-05.com.redhat:host"
LUNS_CHANGED = (6, 0x3F, 0x0E)
MODE_CHANGED = (6, 0x2A, 0x01)
BLOCK = bytes(range(256)) * 2
FLAT = 0x4000  # SAM-5 4.7.7.4


class Luns(ControlCase):
    def setUp(self):
        super().setUp()
        for name in ("t_one", "t_two"):
            self.create_disk(name)
        self.create_target()
        self.call("create", path=f"{TPG}/127.0.0.1:{self.daemon.address[1]}")
        self.call("create", path=f"{TPG}/{HOST}")
        for lun, name in enumerate(("t_one", "t_two")):
            self.call("create", path=f"{TPG}/lun_{lun}", to=name)
            self.call("create", path=f"{TPG}/{HOST}/lun_{lun}", to=f"{TPG}/lun_{lun}")
        self.session = Session(self.daemon.address, TARGET, initiator=HOST, timeout=60)
        self.addCleanup(self.session.connection.close)
        for lun in (0, 1):
            self.assertEqual(self.sense(lun), cdb.POWER_ON)

    def sense(self, lun, command=cdb.TEST_UNIT_READY, **options):
        """Returns the sense code with which the command ends; None for GOOD."""
        return self.session.execute(command, lun=lun, **options).key

    def delete(self, path):
        self.call("delete", path=path)

    def test_removed(self):
        self.delete(f"{TPG}/{HOST}/lun_1")
        # When the deletion is answered, no session has the LUN any more.
        self.assertEqual(self.sense(1), cdb.NO_SUCH_LUN)
        self.assertEqual(self.sense(0), LUNS_CHANGED)
        self.assertIsNone(self.sense(0))
        self.assertEqual(lun_numbers(self.session), [0])
        self.session.good(cdb.read10(0, 1), length=512)

    def test_added(self):
        self.call("create", path=f"{TPG}/lun_16383", to="t_two")
        self.call("create", path=f"{TPG}/{HOST}/lun_16383", to=f"{TPG}/lun_16383")
        self.assertEqual(self.sense(0), LUNS_CHANGED)
        self.assertEqual(lun_numbers(self.session), [0, 1, FLAT | 16383])
        # The initiator has read the list of LUNs, so LUN 1 need not report the change any more.
        self.assertIsNone(self.sense(1))
        self.assertEqual(self.sense(FLAT | 16383), cdb.POWER_ON)
        self.session.good(cdb.write10(0, 1), BLOCK, lun=FLAT | 16383)
        self.assertEqual(self.session.good(cdb.read10(0, 1), length=512, lun=1), BLOCK)

    def test_changed_while_logged_out(self):
        """The initiator is told until it has asked for its LUNs, also if it loses its connection meanwhile."""
        self.session.logout()
        self.session.connection.close()
        self.delete(f"{TPG}/{HOST}/lun_1")
        for end in Session.logout, None:
            with Session(self.daemon.address, TARGET, initiator=HOST, isid=self.session.isid) as session:
                for expected in cdb.POWER_ON, LUNS_CHANGED, None:
                    self.assertEqual(session.execute(cdb.TEST_UNIT_READY).key, expected)
                if end:
                    end(session)
        with Session(self.daemon.address, TARGET, initiator=HOST, isid=self.session.isid) as session:
            self.assertEqual(lun_numbers(session), [0])
        with Session(self.daemon.address, TARGET, initiator=HOST, isid=self.session.isid) as session:
            for expected in cdb.POWER_ON, None:
                self.assertEqual(session.execute(cdb.TEST_UNIT_READY).key, expected)

    def test_removed_and_added_elsewhere(self):
        self.session.good(cdb.write10(0, 1), BLOCK, lun=1)
        self.delete(f"{TPG}/{HOST}/lun_0")
        self.assertEqual(self.sense(0), cdb.NO_SUCH_LUN)
        self.call("create", path=f"{TPG}/{HOST}/lun_0", to=f"{TPG}/lun_1")
        self.assertEqual(self.sense(0), cdb.POWER_ON)
        wait_until_ready(self.session, 0)
        self.assertEqual(self.session.good(cdb.read10(0, 1), length=512), BLOCK)

    def test_seen_when_answered(self):
        """When a command is answered, sessions see what it has changed, however soon they look."""
        self.call("delete", path=f"{TPG}/{HOST}", recursive=True)
        self.session.connection.wait_closed()
        self.call("set", path=TPG, attribute="attrib/generate_node_acls", value=1)
        session = Session(self.daemon.address, TARGET, initiator=HOST, timeout=60)
        self.addCleanup(session.connection.close)
        for _ in range(40):
            self.call("create", path=f"{TPG}/lun_5", to="t_one")
            self.assertEqual(lun_numbers(session), [0, 1, 5])
            self.call("unmap", path=TPG, lun=5)
            self.assertEqual(lun_numbers(session), [0, 1])
            self.call("map", path=TARGET, storage="t_one", lun=6)
            self.assertEqual(lun_numbers(session), [0, 1, 6])
            self.call("delete", path=f"{TPG}/lun_6")
            self.assertEqual(lun_numbers(session), [0, 1])
        for _ in range(10):
            self.call("disable", path=TPG)
            session.connection.wait_closed()
            self.call("enable", path=TPG)
            session = Session(self.daemon.address, TARGET, initiator=HOST, timeout=60)
            self.addCleanup(session.connection.close)

    def test_write_protection(self):
        self.session.good(cdb.write10(0, 1), BLOCK)
        self.call("set", path=f"{TPG}/{HOST}/lun_0", attribute="write_protect", value=1)
        self.assertEqual(self.sense(0), MODE_CHANGED)
        self.assertEqual(self.sense(0, cdb.write10(0, 1), out=bytes(512)), cdb.WRITE_PROTECTED)
        self.assertEqual(self.session.good(cdb.read10(0, 1), length=512), BLOCK)
        self.assertTrue(self.session.good(cdb.mode_sense6(0x3F), length=255)[2] & 0x80)
        self.session.good(cdb.write10(0, 1), BLOCK, lun=1)
        self.assertFalse(self.session.good(cdb.mode_sense6(0x3F), length=255, lun=1)[2] & 0x80)
        self.call("set", path=f"{TPG}/{HOST}/lun_0", attribute="write_protect", value=0)
        self.assertEqual(self.sense(0), MODE_CHANGED)
        self.session.good(cdb.write10(0, 1), bytes(512))
        self.assertEqual(lun_numbers(self.session), [0, 1])

    def test_new_lun_is_protected_from_the_beginning(self):
        protected = {"write_protect": True}
        self.call("map", path=TARGET, storage="t_one", initiator=HOST, lun=5, attributes=protected)
        self.call("create", path=f"{TPG}/{HOST}/lun_6", to="lun_0", attributes=protected)
        for lun in (5, 6):
            wait_until_ready(self.session, lun)
            self.assertEqual(self.sense(lun, cdb.write10(0, 1), out=bytes(512)), cdb.WRITE_PROTECTED)
        error = self.refused("EINVAL", "map", path=TARGET, storage="t_two", initiator=HOST, lun=7,
                             attributes={"write_protect": "maybe"})
        self.assertIn(f"{TPG}/{HOST}/lun_7: write_protect must be 0 or 1, and not 'maybe'", str(error))
        self.assertEqual(lun_numbers(self.session), [0, 1, 5, 6])

    def test_many_changes(self):
        """There are more changes than updates of the session, which then sees the last change."""
        for number in range(100):
            self.call("set", path=f"{TPG}/{HOST}/lun_0", attribute="write_protect", value=number % 2)
        self.assertEqual(self.sense(0), MODE_CHANGED)
        self.assertEqual(self.sense(0, cdb.write10(0, 1), out=BLOCK), cdb.WRITE_PROTECTED)


if __name__ == "__main__":
    main()
