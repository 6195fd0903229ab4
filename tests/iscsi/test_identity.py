# SPDX-License-Identifier: Apache-2.0
"""Who a LUN says it is (SPC-4 6.6, 7.8), and that it says so again after a restart."""
import unittest

import cdb
from daemon import IQN, Daemon

ALLOC = "alloc/a,size=16M,name=a"
T10, NAA, PORT, PORTAL_GROUP, SCSI_NAME = 1, 3, 4, 5, 8


def page(session, code, lun=0):
    data = session.good(cdb.inquiry(code), length=255, lun=lun)
    assert data[1] == code and len(data) == 4 + int.from_bytes(data[2:4], "big"), data.hex()
    return data[4:]


def designators(session, lun=0):
    """VPD 83h as {(association, type): designator}."""
    data, found = page(session, 0x83, lun), {}
    while data:
        found[data[1] >> 4 & 3, data[1] & 15] = data[4:4 + data[3]]
        data = data[4 + data[3]:]
    return found


def identity(*args, target="a", lun=0):
    with Daemon(*args) as daemon, daemon.session(target) as session:
        session.execute(cdb.TEST_UNIT_READY, lun=lun)
        return session.good(cdb.inquiry(), length=255, lun=lun), page(session, 0x80, lun), designators(session, lun)


class Identity(unittest.TestCase):
    def test_names_that_users_know(self):
        standard, _, _ = identity("--export", ALLOC)
        self.assertEqual((standard[8:16], standard[16:32], standard[32:36]),
                         (b"LIO-ORG ", b"TCMU device     ", b"0002"))

    def test_names_are_settable(self):
        standard, serial, _ = identity("--export", ALLOC + ",vendor=ACME,product=Disk,revision=7,serial=S-1")
        self.assertEqual((standard[8:16], standard[16:32], standard[32:36]),
                         (b"ACME    ", b"Disk            ", b"7   "))
        self.assertEqual(serial, b"S-1")

    def test_stable_over_restarts(self):
        self.assertEqual(identity("--export", ALLOC), identity("--export", ALLOC))

    def test_stable_under_another_order(self):
        """A LUN keeps its identity when others come and go before it on the command line."""
        self.assertEqual(identity("--export", ALLOC)[1],
                         identity("--export", "alloc/z,size=1M,name=z", "--export", ALLOC)[1])

    def test_different_for_each_lun(self):
        args = ("--export", ALLOC, "--export", "alloc/b,size=1M,name=a")
        one, two = identity(*args, lun=0), identity(*args, lun=1)
        self.assertNotEqual(one[1], two[1])
        self.assertNotEqual(one[2][0, NAA], two[2][0, NAA])

    def test_different_for_each_target(self):
        self.assertNotEqual(identity("--export", "alloc/a,size=1M,name=a")[1],
                            identity("--export", "alloc/a,size=1M,name=b", target="b")[1])

    def test_designators(self):
        _, serial, found = identity("--export", ALLOC)
        self.assertTrue(found[0, T10].startswith(b"LIO-ORG "))
        self.assertEqual((len(found[0, NAA]), found[0, NAA][0] >> 4), (16, 6))
        self.assertIn((1, PORT), found)
        self.assertEqual(found[1, PORTAL_GROUP][2:], b"\0\1")
        names = [value.rstrip(b"\0").decode() for (_, kind), value in found.items() if kind == SCSI_NAME]
        self.assertTrue(any(name.startswith(IQN + "a") for name in names), names)
        self.assertTrue(serial.strip())


class Pages(unittest.TestCase):
    def test_each_listed_page_is_there(self):
        with Daemon("--export", ALLOC) as daemon, daemon.session("a") as session:
            session.execute(cdb.TEST_UNIT_READY)
            listed = page(session, 0x00)
            self.assertEqual(list(listed), sorted(listed))
            self.assertLessEqual({0x00, 0x80, 0x83, 0x86, 0xB0, 0xB1, 0xB2}, set(listed))
            for code in listed:
                page(session, code)
            for code in set(range(256)) - set(listed):
                task = session.execute(cdb.inquiry(code), length=255)
                self.assertEqual(task.key, cdb.INVALID_FIELD, hex(code))

    def test_read_only_disk(self):
        with Daemon("--export", ALLOC + ",ro") as daemon, daemon.session("a") as session:
            session.execute(cdb.TEST_UNIT_READY)
            self.assertTrue(session.good(cdb.mode_sense6(0x3F), length=255)[2] & 0x80, "WP bit (SBC-4 6.5.1)")
            task = session.execute(cdb.write10(0, 1), bytes(512))
            self.assertEqual(task.key, cdb.WRITE_PROTECTED)
            session.good(cdb.read10(0, 1), length=512)


if __name__ == "__main__":
    unittest.main()
