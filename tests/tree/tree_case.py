# SPDX-License-Identifier: Apache-2.0
"""A test case with a tree on fake storage, which is empty after each test."""
import errno
import os
import unittest

from host import Host

TARGET = "iqn.2026-11.com.example:disks"
OTHER = "iqn.2026-11.com.example:other"
INITIATOR = "iqn.2026-11.com.example:host"


class TreeCase(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.host = Host()

    @classmethod
    def tearDownClass(cls):
        cls.host.stop()

    def setUp(self):
        self.read, self.write, self.path = self.host.read, self.host.write, self.host.path

    def tearDown(self):
        self.clear()

    def clear(self):
        """Deletes everything, in rtslib's order."""
        for target in self.folders("iscsi"):
            for tpg in self.folders(f"iscsi/{target}"):
                base = f"iscsi/{target}/{tpg}"
                for acl in self.folders(f"{base}/acls"):
                    for lun in self.folders(f"{base}/acls/{acl}"):
                        if lun.startswith("lun_"):
                            self.remove_lun(f"{base}/acls/{acl}/{lun}")
                    os.rmdir(self.path(f"{base}/acls/{acl}"))
                for lun in self.folders(f"{base}/lun"):
                    self.remove_lun(f"{base}/lun/{lun}")
                for portal in self.folders(f"{base}/np"):
                    os.rmdir(self.path(f"{base}/np/{portal}"))
                os.rmdir(self.path(base))
            os.rmdir(self.path(f"iscsi/{target}"))
        for hba in self.folders("core"):
            if hba != "alua":
                for device in self.folders(f"core/{hba}"):
                    os.rmdir(self.path(f"core/{hba}/{device}"))
                os.rmdir(self.path(f"core/{hba}"))

    def folders(self, path):
        return [entry.name for entry in os.scandir(self.path(path))
                if entry.is_dir(follow_symlinks=False) and entry.name != "discovery_auth"]

    def remove_lun(self, path):
        for entry in list(os.scandir(self.path(path))):
            if entry.is_symlink():
                os.unlink(entry.path)
        os.rmdir(self.path(path))

    def mkdir(self, *paths):
        for path in paths:
            os.mkdir(self.path(path))

    def device(self, name="user_0/disk", config="alloc/x"):
        hba = name.split("/", maxsplit=1)[0]
        if not os.path.isdir(self.path("core", hba)):
            self.mkdir(f"core/{hba}")
        self.mkdir(f"core/{name}")
        self.write(f"core/{name}/control", f"dev_config={config},dev_size=1048576")
        self.write(f"core/{name}/enable", "1\n")
        return self.path("core", name)

    def tpg(self, target=TARGET):
        self.mkdir(f"iscsi/{target}", f"iscsi/{target}/tpgt_1")
        return f"iscsi/{target}/tpgt_1"

    def assert_refused(self, code, function, *args, reason=None):
        with self.assertRaises(OSError) as caught:
            function(*args)
        self.assertEqual(errno.errorcode[caught.exception.errno], errno.errorcode[code])
        text = self.read("last_error")
        if reason is not None:
            self.assertIn(reason, text)
            self.assertEqual(text.count("\n"), 1)
