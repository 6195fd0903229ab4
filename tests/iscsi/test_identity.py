# SPDX-License-Identifier: Apache-2.0
"""Tests the identity that a LUN reports (SPC-4 6.6, 7.8). The identity must be the same after a restart."""
import os
import re
import tempfile
import unittest

import cdb
import daemon
import initiator
from daemon import IQN, Daemon, wait_until

ALLOC = "alloc/a,size=16M,name=a"
T10, NAA, PORT, PORTAL_GROUP, SCSI_NAME = 1, 3, 4, 5, 8


def page(session, code, lun=0):
    data = session.good(cdb.inquiry(code), length=255, lun=lun)
    assert data[1] == code and len(data) == 4 + int.from_bytes(data[2:4], "big"), data.hex()
    return data[4:]


def designators(session, lun=0):
    """Returns VPD page 83h as {(association, type): designator}."""
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

    def test_memory_is_another_disk_after_each_start(self):
        """Nothing keeps the memory here, so the contents are lost."""
        with tempfile.TemporaryDirectory(prefix="tcmur-") as folder:
            args = ("--state-dir", os.path.join(folder, "state"), "--export", ALLOC)
            self.assertNotEqual(identity(*args)[1], identity(*args)[1])

    def test_different_for_each_lun(self):
        args = ("--export", ALLOC + ",lun=0", "--export", "alloc/b,size=1M,name=a,lun=1")
        one, two = identity(*args, lun=0), identity(*args, lun=1)
        self.assertNotEqual(one[1], two[1])
        self.assertNotEqual(one[2][0, NAA], two[2][0, NAA])

    def test_different_for_each_target(self):
        self.assertNotEqual(identity("--export", "alloc/a,size=1M,name=a")[1],
                            identity("--export", "alloc/a,size=1M,name=b", target="b")[1])

    def test_blank_names_are_refused(self):
        for key in ("serial", "vendor", "product", "revision"):
            refused = daemon.run("--export", f"{ALLOC},{key}= ")
            self.assertEqual(refused.returncode, 1)
            self.assertIn("has only blanks", refused.stderr)

    def test_different_serials_have_different_designators(self):
        one, two = (identity("--export", f"{ALLOC},serial={serial}")[2] for serial in ("lun1", "vol1"))
        self.assertNotEqual(one[0, NAA], two[0, NAA])

    def test_designator_as_serial_is_not_cut(self):
        digits = "600a098038303053453f463045727a4b"
        _, serial, found = identity("--export", f"{ALLOC},serial={digits}")
        self.assertEqual((serial.decode(), found[0, NAA].hex()), (digits, digits))

    def test_uuid_of_lio_keeps_the_encoding_of_lio(self):
        found = identity("--export", f"{ALLOC},serial=4d4c8f6e-2a3b-4c5d-9e8f-001122334455")[2]
        self.assertEqual(found[0, NAA].hex(), "60014054d4c8f6e2a3b4c5d9e8f00112")

    def test_same_serial_twice_is_refused(self):
        both = ("alloc/a,size=1M,name=a,serial=S", "alloc/b,size=1M,name=b,serial=S")
        refused = daemon.run("--export", both[0], "--export", both[1], "--portal", f"127.0.0.1:{daemon.free_port()}")
        self.assertEqual(refused.returncode, 1)
        for text in (both[1], "user_0/a", "user_0/b", "same serial number"):
            self.assertIn(text, refused.stderr)

    def test_designators(self):
        _, serial, found = identity("--export", ALLOC)
        self.assertTrue(found[0, T10].startswith(b"LIO-ORG "))
        self.assertEqual((len(found[0, NAA]), found[0, NAA][0] >> 4), (16, 6))
        self.assertIn((1, PORT), found)
        self.assertEqual(found[1, PORTAL_GROUP][2:], b"\0\1")
        names = [value.rstrip(b"\0").decode() for (_, kind), value in found.items() if kind == SCSI_NAME]
        self.assertTrue(any(name.startswith(IQN + "a") for name in names), names)
        self.assertTrue(serial.strip())


class Storage(unittest.TestCase):
    """The identity of a file does not depend on how its path is written."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="tcmur-")
        self.addCleanup(folder.cleanup)
        self.folder = os.path.realpath(folder.name)
        self.state = os.path.join(self.folder, "state")
        self.image = self.make("disk.img")

    def make(self, name):
        path = os.path.join(self.folder, name)
        with open(path, "wb") as image:
            image.truncate(1 << 20)
        return path

    def serial(self, config, *options):
        return identity("--export", f"{config},name=a" + "".join(options), "--state-dir", self.state)[1].decode()

    def test_one_file_has_one_serial(self):
        link = os.path.join(self.folder, "link")
        os.symlink(self.image, link)
        paths = (self.image, os.path.relpath(self.image), link, f"/{self.image}", f"{self.folder}/./disk.img",
                 f"{self.folder}/../{os.path.basename(self.folder)}/disk.img")
        self.assertEqual(len({self.serial(f"file/{path}") for path in paths}), 1)
        self.assertNotEqual(self.serial(f"file/{self.image}"), self.serial(f"file/{self.make('other.img')}"))

    def test_stable_over_restarts(self):
        args = ("--export", f"file/{self.image},name=a", "--state-dir", self.state)
        first = identity(*args)
        self.assertEqual(identity(*args), first)
        # A LUN keeps its identity when other exports are added before it on the command line, or removed.
        self.assertEqual(identity("--export", "alloc/z,size=1M,name=z", *args)[1], first[1])
        # This also holds without the state folder.
        self.assertEqual(identity(*args[:2])[1], first[1])

    def test_state_folder_is_created_with_the_folders_above_it(self):
        deep = os.path.join(self.folder, "local", "state", "tcmu-runner")
        with daemon.Daemon("--export", f"file/{self.image},name=a", "--state-dir", deep):
            self.assertTrue(os.listdir(deep))

    def test_configured_serial_is_remembered(self):
        self.assertEqual(self.serial(f"file/{self.image}", ",serial=mine"), "mine")
        self.assertEqual(self.serial(f"file/{self.image}"), "mine")

    def test_identity_is_printed_for_scripts(self):
        if not daemon.machine_id():
            daemon.give_machine_id(self.state)
        before = daemon.run("--identity", f"file/{self.image}", "--state-dir", self.state)
        self.assertFalse(os.path.exists(os.path.join(self.state, "disk.img")))
        self.assertEqual((before.returncode, before.stdout), (0, self.serial(f"file/{self.image}") + "\n"))
        self.assertEqual(self.serial(f"file/{self.image}", ",serial=mine"), "mine")
        after = daemon.run("--identity", f"file/{self.image}", "--state-dir", self.state)
        self.assertEqual(after.stdout, "mine\n")
        refused = daemon.run("--identity", "nothing/x", "--state-dir", self.state)
        self.assertEqual(refused.returncode, 1)
        self.assertIn("no handler", refused.stderr)

    def test_two_machines_have_two_serials(self):
        """Runs the same options on another machine, which is a mount namespace with another /etc/machine-id."""
        other = os.path.join(self.folder, "machine-id")
        with open(other, "w", encoding="ascii") as file:
            file.write("f" * 32 + "\n")
        wrapper = ("unshare", "-rm", "sh", "-c", f'mount --bind {other} /etc/machine-id && exec "$@"', "sh")
        if daemon.subprocess.run([*wrapper, "true"], check=False, capture_output=True).returncode:
            self.skipTest("namespaces cannot be created, or there is no /etc/machine-id")
        here = self.serial(f"file/{self.image}")
        with Daemon("--export", f"file/{self.image},name=a", wrapper=wrapper) as there:
            # The daemon listens before it logs the names of its targets.
            wait_until(lambda: "LUN 0 of " in there.output(), there.output)
            name = re.search(r"LUN 0 of (\S+),", there.output()).group(1)
            self.assertRegex(name, "^iqn.2026-11.io.tcmu-runner:[0-9a-f]{12}:a$")
            self.assertNotEqual(name, IQN + "a")
            with initiator.Session(there.address, name) as session:
                session.execute(cdb.TEST_UNIT_READY)
                self.assertNotEqual(page(session, 0x80).decode(), here)
                session.logout()


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
