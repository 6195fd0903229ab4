# SPDX-License-Identifier: Apache-2.0
"""The tree on fake storage: layout, names, errors, values, and links."""
import errno
import os
import stat
import unittest

from host import require_fuse
from tree_case import INITIATOR, OTHER, TARGET, TreeCase


class Layout(TreeCase):
    def test_root(self):
        self.assertEqual(sorted(os.listdir(self.host.folder)),
                         ["core", "dbroot", "iscsi", "last_error", "left_out", "version"])
        self.assertIn("1.2.3", self.read("version"))
        self.assertIn("1.2.3", self.read("iscsi/lio_version"))
        self.write("dbroot", "/etc/target\n")
        self.assertEqual(self.read("dbroot"), "/etc/target\n")
        self.assert_refused(errno.EINVAL, self.write, "dbroot", "relative", reason="dbroot")

    def test_modes(self):
        device = self.device()
        for name, mode in (("control", 0o200), ("enable", 0o644), ("info", 0o444), ("attrib/block_size", 0o444),
                           ("attrib/queue_depth", 0o644)):
            st = os.stat(os.path.join(device, name))
            self.assertEqual((stat.S_IMODE(st.st_mode), st.st_size), (mode, 4096), name)
        self.assertTrue(stat.S_ISDIR(os.stat(device).st_mode))
        auth = os.stat(self.path("iscsi/discovery_auth/password"))
        self.assertEqual(stat.S_IMODE(auth.st_mode), 0o600)
        self.assertEqual(auth.st_uid, os.geteuid())

    def test_owner_and_mode_stay(self):
        self.assert_refused(errno.EPERM, os.chmod, self.path("core"), 0o700, reason="mode")
        self.assert_refused(errno.EPERM, os.chown, self.path("core"), 1, 1)
        os.utime(self.path("version"))

    def test_every_file_can_be_read_or_says_why(self):
        self.device()
        tpg = self.tpg()
        self.mkdir(f"{tpg}/acls/{INITIATOR}", f"{tpg}/np/127.0.0.1:3260", f"{tpg}/lun/lun_0")
        os.symlink(self.path("core/user_0/disk"), self.path(f"{tpg}/lun/lun_0/x"))
        count = 0
        for folder, _, files in os.walk(self.host.folder):
            for name in files:
                path = os.path.join(folder, name)
                if os.path.islink(path):
                    continue
                if not os.stat(path).st_mode & 0o400:
                    with self.assertRaises(PermissionError):
                        open(path, encoding="utf-8").close()
                    continue
                with open(path, encoding="utf-8") as file:
                    text = file.read()
                self.assertTrue(not text or text.endswith("\n"), path)
                self.assertFalse(text.endswith("\n\n"), path)
                count += 1
        self.assertGreater(count, 150)


class CreateAndDelete(TreeCase):
    def test_device(self):
        self.assert_refused(errno.EPERM, os.mkdir, self.path("disk"), reason="nothing can be created")
        self.assert_refused(errno.ENOENT, os.mkdir, self.path("core/user_0/disk"))
        self.assert_refused(errno.EINVAL, os.mkdir, self.path("core/pscsi_0"), reason="pscsi_0")
        for name in ("user_", "user_x", "user_01", "user", "user_12345678", "ramdisk_0"):
            self.assert_refused(errno.EINVAL, os.mkdir, self.path("core", name))
        self.mkdir("core/user_0")
        self.assert_refused(errno.EEXIST, os.mkdir, self.path("core/user_0"))
        self.assertEqual(self.read("core/user_0/hba_info").split()[:5], ["HBA", "Index:", "0", "plugin:", "user"])
        self.mkdir("core/user_0/disk")
        self.assert_refused(errno.EEXIST, os.mkdir, self.path("core/user_0/disk"))
        self.assert_refused(errno.EINVAL, self.write, "core/user_0/disk/enable", "1", reason="config")
        self.assertEqual(self.read("core/user_0/disk/enable"), "0\n")
        self.assert_refused(errno.EINVAL, self.write, "core/user_0/disk/enable", "0", reason="rmdir")
        self.assert_refused(errno.EPERM, os.rmdir, self.path("core/user_0/disk/attrib"), reason="attrib")
        self.assert_refused(errno.EPERM, os.rmdir, self.path("core"))
        self.assert_refused(errno.EPERM, os.mkdir, self.path("core/user_0/disk/attrib/x"))
        self.assert_refused(errno.ENOTEMPTY, os.rmdir, self.path("core/user_0"), reason="not empty")
        os.rmdir(self.path("core/user_0/disk"))
        self.assertEqual(self.folders("core"), ["alua", "user_0"])
        os.rmdir(self.path("core/user_0"))
        self.assert_refused(errno.ENOENT, os.rmdir, self.path("core/user_0"))

    def test_target(self):
        for name in ("disk", "iqn.nothing", "iqn.2026-11.com.example:a b", "eui.12"):
            self.assert_refused(errno.EINVAL, os.mkdir, self.path("iscsi", name), reason="name")
        self.assert_refused(errno.EEXIST, os.mkdir, self.path("iscsi/discovery_auth"))
        self.mkdir(f"iscsi/{TARGET}")
        self.assert_refused(errno.EINVAL, os.mkdir, self.path(f"iscsi/{TARGET}/tpg_1"), reason="tpgt_N")
        tpg = f"iscsi/{TARGET}/tpgt_1"
        self.mkdir(tpg)
        self.assert_refused(errno.ENOTEMPTY, os.rmdir, self.path(f"iscsi/{TARGET}"))
        self.assertEqual(sorted(self.folders(tpg)), ["acls", "attrib", "auth", "lun", "np", "param"])
        self.write(f"{tpg}/enable", "1")
        self.assertEqual(self.read(f"{tpg}/enable"), "1\n")
        self.write(f"{tpg}/enable", "0")
        self.assert_refused(errno.EINVAL, self.write, f"{tpg}/enable", "2", reason="0 or 1")
        self.assert_refused(errno.EPERM, os.rmdir, self.path(f"{tpg}/acls"))
        self.assert_refused(errno.EINVAL, os.mkdir, self.path(f"{tpg}/np/nowhere"), reason="nowhere")
        self.assert_refused(errno.EADDRINUSE, os.mkdir, self.path(f"{tpg}/np/127.0.0.1:9"), reason="in use")
        self.assert_refused(errno.EINVAL, os.mkdir, self.path(f"{tpg}/acls/host"), reason="name")

    def test_names_without_regard_to_case(self):
        self.mkdir("iscsi/IQN.2026-11.com.Example:A", "iscsi/IQN.2026-11.com.Example:A/tpgt_1")
        self.assertEqual(self.folders("iscsi"), ["iqn.2026-11.com.example:a"])
        self.assert_refused(errno.EEXIST, os.mkdir, self.path("iscsi/iqn.2026-11.com.example:a"))
        tpg = "iscsi/iqn.2026-11.com.example:a/tpgt_1"
        self.mkdir(f"{tpg}/np/[FE80::1]:3260")
        self.assertEqual(self.folders(f"{tpg}/np"), ["[fe80::1]:3260"])

    def test_portals_of_all_addresses(self):
        """As in LIO, [::] takes IPv4 connections, too, so a portal 0.0.0.0 with the same port is refused."""
        tpg = self.tpg()
        self.mkdir(f"{tpg}/np/[::]:3260", f"{tpg}/np/[::0]:3261", f"{tpg}/np/0.0.0.0:3262")
        self.assertEqual(sorted(self.folders(f"{tpg}/np")), ["0.0.0.0:3262", "[::]:3260", "[::]:3261"])
        self.assert_refused(errno.EEXIST, os.mkdir, self.path(f"{tpg}/np/[::]:3260"))
        self.assert_refused(errno.EEXIST, os.mkdir, self.path(f"{tpg}/np/[::0]:3260"))
        for taken, name in (("[::]:3260", "0.0.0.0:3260"), ("[::]:3260", "127.0.0.1:3260"),
                            ("[::]:3260", "[::1]:3260"), ("0.0.0.0:3262", "[::]:3262"),
                            ("0.0.0.0:3262", "127.0.0.1:3262")):
            self.assert_refused(errno.EADDRINUSE, os.mkdir, self.path(f"{tpg}/np/{name}"), reason=taken)
        self.assert_refused(errno.EINVAL, os.mkdir, self.path(f"{tpg}/np/*:3263"), reason="[::]:PORT")
        self.mkdir(f"{tpg}/np/[::1]:3262")
        os.rmdir(self.path(f"{tpg}/np/[::]:3260"))
        self.mkdir(f"{tpg}/np/0.0.0.0:3260")

    def test_luns(self):
        tpg = self.tpg()
        for name in ("lun_", "lun_x", "lun_01", "lun_16384", "0", "lun_-1", "lun_99999999999999999999"):
            self.assert_refused(errno.EINVAL, os.mkdir, self.path(f"{tpg}/lun/{name}"), reason="lun_N")
        self.mkdir(f"{tpg}/lun/lun_0", f"{tpg}/lun/lun_16383")
        self.assert_refused(errno.ENODEV, self.read, f"{tpg}/lun/lun_0/alua_tg_pt_gp")
        self.assert_refused(errno.ENOTEMPTY, os.rmdir, self.path(tpg), reason="not empty")
        os.rmdir(self.path(f"{tpg}/lun/lun_0"))

    def test_what_configfs_does_not_have(self):
        device = self.device()
        self.assert_refused(errno.EACCES, os.open, self.path("core/file"), os.O_CREAT | os.O_WRONLY)
        self.assert_refused(errno.EPERM, os.mknod, self.path("core/pipe"), stat.S_IFIFO | 0o600)
        self.assert_refused(errno.EPERM, os.rename, device, self.path("core/user_0/other"), reason="mkdir")
        self.assert_refused(errno.EPERM, os.link, f"{device}/info", f"{device}/other")
        self.assert_refused(errno.EPERM, os.unlink, f"{device}/info", reason="info")
        self.assert_refused(errno.EPERM, os.symlink, device, self.path("core/link"), reason="symbolic link")

    def test_other_interfaces(self):
        self.assertEqual(self.host.command("create", "user_7/other"), "create done")
        self.assertEqual(self.folders("core"), ["alua", "user_7"])
        self.assertEqual(self.read("core/user_7/other/enable"), "0\n")
        self.assertEqual(self.host.command("delete", "user_7/other"), "delete done")
        self.assertEqual(self.folders("core"), ["alua"])
        self.mkdir("core/user_7")
        self.host.command("create", "user_7/other")
        self.host.command("delete", "user_7/other")
        self.assertEqual(self.folders("core/user_7"), [])
        tpg = self.tpg()
        self.mkdir(f"{tpg}/lun/lun_0")
        self.assertEqual(self.host.command("delete", TARGET), "delete done")
        self.assertEqual(self.folders("iscsi"), [])


class Links(TreeCase):
    def setUp(self):
        super().setUp()
        self.device()
        self.base = self.tpg()
        self.mkdir(f"{self.base}/lun/lun_0", f"{self.base}/acls/{INITIATOR}", f"{self.base}/acls/{INITIATOR}/lun_5")
        self.lun, self.mapped = f"{self.base}/lun/lun_0", f"{self.base}/acls/{INITIATOR}/lun_5"

    def link(self, to, path):
        os.symlink(to, self.path(path))

    def test_relative(self):
        self.link(self.path("core/user_0/disk"), f"{self.lun}/a1b2")
        self.link(self.path(self.lun), f"{self.mapped}/c3")
        self.assertEqual(os.readlink(self.path(f"{self.lun}/a1b2")), "../../../../../core/user_0/disk")
        self.assertEqual(os.path.realpath(self.path(f"{self.lun}/a1b2")), self.path("core/user_0/disk"))
        self.assertEqual(os.path.realpath(self.path(f"{self.mapped}/c3")), self.path(self.lun))
        self.assertIn("ACTIVATED", self.read("core/user_0/disk/info"))
        self.assertEqual(self.read("core/user_0/disk/alua/default_tg_pt_gp/members"), f"iSCSI/{TARGET}/tpgt_1/lun_0\n")
        self.assertIn("default_tg_pt_gp", self.read(f"{self.lun}/alua_tg_pt_gp"))
        self.write(f"{self.lun}/alua_tg_pt_gp", "default_tg_pt_gp\n")
        self.assert_refused(errno.ENODEV, self.write, f"{self.lun}/alua_tg_pt_gp", "other", reason="other")
        self.write(f"{self.mapped}/write_protect", "1")
        self.assertEqual(self.read(f"{self.mapped}/write_protect"), "1\n")

    def test_other_roots(self):
        for number, prefix in enumerate(("/sys/kernel/config/target/core/", "../../../../../core/", "/core/core/",
                                         "/iscsi/x/core/", "//a//core/")):
            self.mkdir(f"{self.base}/lun/lun_{number + 1}")
            self.link(f"{prefix}user_0/disk/", f"{self.base}/lun/lun_{number + 1}/x")
        self.link("/sys/kernel/config/target/core/user_0/disk", f"{self.lun}/x")
        self.link(f"/sys/kernel/config/target/iscsi/{TARGET}/tpgt_1/lun/lun_0", f"{self.mapped}/x")

    def test_wrong_destinations(self):
        for to in ("/", "", "core/user_0/disk", "/core/", "/core/user_0", "/core/user_0/none",
                   "/core/user_0/../user_0/disk", "/core/user_0/disk/attrib", f"/iscsi/{TARGET}", "x" * 4000):
            with self.assertRaises(OSError) as caught:
                self.link(to, f"{self.lun}/x")
            self.assertIn(caught.exception.errno, (errno.ENOENT, errno.EINVAL), to)
        self.assert_refused(errno.EINVAL, self.link, f"/iscsi/{TARGET}/tpgt_1/lun/lun_0", f"{self.mapped}/x")
        self.link(self.path("core/user_0/disk"), f"{self.lun}/x")
        self.assert_refused(errno.EEXIST, self.link, self.path("core/user_0/disk"), f"{self.lun}/y",
                            reason="link already")
        self.assert_refused(errno.EINVAL, self.link, self.path("core/user_0/disk"), f"{self.mapped}/x")
        self.assert_refused(errno.EPERM, self.link, self.path("core/user_0/disk"), f"{self.lun}/statistics/x")

    def test_lun_of_another_tpg(self):
        other = self.tpg(OTHER)
        self.mkdir(f"{other}/lun/lun_0")
        self.link(self.path("core/user_0/disk"), f"{other}/lun/lun_0/x")
        self.assert_refused(errno.EINVAL, self.link, self.path(f"{other}/lun/lun_0"), f"{self.mapped}/x",
                            reason="own TPG")

    def test_device_that_is_not_enabled(self):
        self.mkdir("core/user_0/second")
        self.assert_refused(errno.ENODEV, self.link, self.path("core/user_0/second"), f"{self.lun}/x",
                            reason="not enabled")

    def test_delete(self):
        self.link(self.path("core/user_0/disk"), f"{self.lun}/x")
        self.link(self.path(self.lun), f"{self.mapped}/y")
        self.assert_refused(errno.EBUSY, os.rmdir, self.path("core/user_0/disk"), reason="user_0/disk")
        self.assert_refused(errno.ENOTEMPTY, os.rmdir, self.path(self.lun))
        self.assert_refused(errno.EBUSY, os.unlink, self.path(f"{self.lun}/x"), reason="mapped LUN")
        os.unlink(self.path(f"{self.mapped}/y"))
        self.assert_refused(errno.ENOENT, os.unlink, self.path(f"{self.mapped}/y"))
        os.unlink(self.path(f"{self.lun}/x"))
        self.assertEqual([entry for entry in os.scandir(self.path(self.lun)) if entry.is_symlink()], [])
        self.link(self.path("core/user_0/disk"), f"{self.lun}/again")

    def test_names_of_links(self):
        name = "x" * 255
        self.link(self.path("core/user_0/disk"), f"{self.lun}/{name}")
        self.assertTrue(os.path.islink(self.path(f"{self.lun}/{name}")))
        self.write(f"{self.lun}/alias", "other")
        self.assertTrue(os.path.islink(self.path(f"{self.lun}/other")))
        # If the alias of a link cannot be a name, the name of the disk is used instead.
        for alias in ("a/b", "..", "alias", ""):
            self.write(f"{self.lun}/alias", alias + "\n")
            self.assertEqual([entry.name for entry in os.scandir(self.path(self.lun)) if entry.is_symlink()], ["disk"])


class Values(TreeCase):
    def test_bases_and_words(self):
        tpg = self.tpg()
        for text, value in (("1", "1"), ("0\n", "0"), ("y", "1"), ("off", "0"), ("On\n", "1"), ("n", "0")):
            self.write(f"{tpg}/attrib/authentication", text)
            self.assertEqual(self.read(f"{tpg}/attrib/authentication"), value + "\n")
        for text, value in (("16", "16"), ("0x10", "16"), ("020", "16"), ("1", "1")):
            self.write(f"{tpg}/attrib/default_cmdsn_depth", text)
            self.assertEqual(self.read(f"{tpg}/attrib/default_cmdsn_depth"), value + "\n")
        for text in ("maybe", "2", "-1", "1 1", "", "0x", "99999999999999999999999"):
            self.assert_refused(errno.EINVAL, self.write, f"{tpg}/attrib/authentication", text + "\n",
                                reason="authentication")
        self.write(f"{tpg}/param/TargetAlias", "a b\tc".replace("\t", " "))
        self.assertEqual(self.read(f"{tpg}/param/TargetAlias"), "a b c\n")
        self.assert_refused(errno.EINVAL, self.write, f"{tpg}/param/TargetAlias", "a\tb")

    def test_null_is_empty(self):
        self.write("iscsi/discovery_auth/userid", "alice")
        self.write("iscsi/discovery_auth/userid", "NULL\n")
        self.assertEqual(self.read("iscsi/discovery_auth/userid"), "\n")

    def test_only_read_or_only_written(self):
        device = self.device()
        for path, flags in (("info", os.O_WRONLY), ("info", os.O_RDWR), ("control", os.O_RDONLY),
                            ("attrib/block_size", os.O_WRONLY)):
            self.assert_refused(errno.EACCES, os.open, os.path.join(device, path), flags)

    def test_long_values(self):
        tpg = self.tpg()
        path = f"{tpg}/attrib/allowed_addresses"
        self.write(path, "10.0.0.0/8," * 360 + "10.0.0.0/8")
        before = self.read(path)
        for size in (4096, 10000, 200000, 1 << 21):
            self.assert_refused(errno.EINVAL, self.write, path, "1" * size, reason="4095")
        self.assert_refused(errno.EINVAL, self.write, f"{tpg}/param/TargetAlias", "x" * 256, reason="255")
        self.assertEqual(self.read(path), before)

    def test_nul(self):
        tpg = self.tpg()
        self.write(f"{tpg}/attrib/authentication", b"1\0")
        self.assert_refused(errno.EINVAL, self.write, f"{tpg}/param/TargetAlias", b"a\0b", reason="NUL")
        self.assert_refused(errno.EINVAL, self.write, f"{tpg}/attrib/authentication", b"\0001", reason="NUL")

    def test_each_write_is_a_value(self):
        tpg = self.tpg()
        path = f"{tpg}/param/TargetAlias"
        fd = os.open(self.path(path), os.O_RDWR)
        try:
            os.write(fd, b"first")
            os.write(fd, b"second")
            self.assertEqual(self.read(path), "second\n")
            os.pwrite(fd, b"third", 1 << 40)
            self.assertEqual(os.pread(fd, 100, 0), b"third\n")
            os.pwrite(fd, b"fourth", 3)
            self.assertEqual(os.pread(fd, 100, 0), b"third\n")  # the contents are those of the first read
            self.assertEqual(os.pread(fd, 3, 2), b"ird")
            self.assertEqual(os.pread(fd, 10, 1 << 40), b"")
        finally:
            os.close(fd)
        self.assertEqual(self.read(path), "fourth\n")
        with open(self.path(path), "a", encoding="utf-8") as file:
            file.write("fifth")
        self.assertEqual(self.read(path), "fifth\n")

    def test_sessions(self):
        tpg = self.tpg("iqn.2026-11.com.example:sessions")
        self.assertEqual(self.read(f"{tpg}/dynamic_sessions"), f"{INITIATOR}\n")
        self.mkdir(f"{tpg}/acls/{INITIATOR}", f"{tpg}/acls/{INITIATOR}2")
        self.assertIn(f"InitiatorName: {INITIATOR}\n", self.read(f"{tpg}/acls/{INITIATOR}/info"))
        self.assertIn("No active iSCSI Session", self.read(f"{tpg}/acls/{INITIATOR}2/info"))
        self.assertEqual(self.read(f"{tpg}/dynamic_sessions"), "\n")


class Control(TreeCase):
    def control(self, device, text):
        self.write(f"core/{device}/control", text)

    def info(self, device):
        return self.read(f"core/{device}/info")

    def test_user(self):
        self.mkdir("core/user_3", "core/user_3/a")
        self.control("user_3/a", "dev_config=file//srv/a~20b;cache=none\n")
        self.control("user_3/a", "dev_size=0x100000,hw_block_size=4096,hw_max_sectors=128,max_data_area_mb=16,"
                     "nl_reply_supported=-1,,read_only=1")
        self.assertIn("Config: file//srv/a~20b;cache=none Size: 1048576 MaxDataAreaMB: 16 ", self.info("user_3/a"))
        self.assertIn("HwMaxSectors: 1024", self.info("user_3/a"))
        for text, reason in (("dev_config", "KEY=VALUE"), ("fd_dev_name=/x", "fd_dev_name"), ("dev_size=many", "many"),
                             ("dev_size=-1", "dev_size"), ("=", "no setting"), ("hw_block_size=1000", "block_size: it must be"),
                             ("dev_size=1," * 33, "32")):
            self.assert_refused(errno.EINVAL, self.control, "user_3/a", text, reason=reason)
        self.write("core/user_3/a/enable", "1")
        self.assert_refused(errno.EBUSY, self.control, "user_3/a", "dev_config=file//srv/b", reason="enabled")
        self.assertEqual(self.read("core/user_3/a/attrib/dev_config"), "file//srv/a~20b;cache=none\n")
        self.write("core/user_3/a/attrib/dev_config", "file//srv/a~20b;cache=none")
        self.assert_refused(errno.EBUSY, self.write, "core/user_3/a/attrib/dev_config", "file//srv/b", reason="enabled")
        self.assertEqual(self.read("core/user_3/a/attrib/dev_config"), "file//srv/a~20b;cache=none\n")
        self.write("core/user_3/a/attrib/dev_size", "1048576")
        self.write("core/user_3/a/attrib/dev_size", "2097152")
        self.assert_refused(errno.EINVAL, self.write, "core/user_3/a/attrib/dev_size", "-4")
        self.assertEqual(self.read("core/user_3/a/action/block_dev"), "unblocked\n")
        self.assert_refused(errno.EINVAL, self.write, "core/user_3/a/action/reset_ring", "1", reason="ring")

    def test_fileio(self):
        self.mkdir("core/fileio_0", "core/fileio_0/f")
        self.control("fileio_0/f", "fd_dev_name=/srv/my disk;x,fd_dev_size=4096,fd_buffered_io=1")
        self.assertIn("File: /srv/my disk;x  Size: 4096", self.info("fileio_0/f"))
        self.assertEqual(self.read("core/fileio_0/f/attrib/emulate_write_cache"), "1\n")
        self.assertEqual(self.read("core/fileio_0/f/udev_path"), "/srv/my disk;x\n")
        self.write("core/fileio_0/f/udev_path", "/other\n")
        self.assertEqual(self.read("core/fileio_0/f/udev_path"), "/other\n")
        self.assert_refused(errno.EOVERFLOW, self.write, "core/fileio_0/f/udev_path", "x" * 512, reason="511")
        self.assertFalse(os.path.exists(self.path("core/fileio_0/f/attrib/dev_config")))
        self.assertNotIn("dev_config", os.listdir(self.path("core/fileio_0/f/attrib")))

    def test_iblock(self):
        self.mkdir("core/iblock_0", "core/iblock_0/b")
        self.control("iblock_0/b", "udev_path=/dev/none/such,readonly=1")
        self.assertIn("iBlock device: such  UDEV PATH: /dev/none/such", self.info("iblock_0/b"))
        self.assert_refused(errno.EINVAL, self.control, "iblock_0/b", "readonly=2")

    def test_rd_mcp(self):
        self.mkdir("core/rd_mcp_0", "core/rd_mcp_0/r")
        self.control("rd_mcp_0/r", "rd_pages=16")
        self.assertIn("PAGES/PAGE_SIZE: 16*4096  SG_table_count: 1  nullio: 0", self.info("rd_mcp_0/r"))
        self.control("rd_mcp_0/r", "rd_nullio=1")
        self.assertIn("nullio: 1", self.info("rd_mcp_0/r"))
        self.assert_refused(errno.EINVAL, self.control, "rd_mcp_0/r", "rd_pages=99999999999999999")
        self.write("core/rd_mcp_0/r/enable", "1")

    def test_serial_after_enable(self):
        self.device()
        self.write("core/user_0/disk/wwn/vpd_unit_serial", "3a1b\n")
        self.assertEqual(self.read("core/user_0/disk/wwn/vpd_unit_serial"), "T10 VPD Unit Serial Number: 3a1b\n")

    def test_each_value_can_be_written_back(self):
        self.device()
        for name in os.listdir(self.path("core/user_0/disk/attrib")):
            path = f"core/user_0/disk/attrib/{name}"
            # The fake storage has no unit whose write cache could be switched.
            if os.stat(self.path(path)).st_mode & 0o200 and name != "emulate_write_cache":
                self.write(path, self.read(path))

    def test_target_port_group(self):
        self.device()
        group = "core/user_0/disk/alua/default_tg_pt_gp"
        for name in os.listdir(self.path(group)):
            if os.stat(self.path(group, name)).st_mode & 0o200:
                self.write(f"{group}/{name}", self.read(f"{group}/{name}"))
        self.assert_refused(errno.EINVAL, self.write, f"{group}/alua_access_state", "2", reason="alua_access_state")
        self.assert_refused(errno.EPERM, os.mkdir, self.path("core/user_0/disk/alua/other"))


class ForTargetcli(TreeCase):
    def test_left_out(self):
        self.device()
        self.assertNotIn(".targetcli", os.listdir(self.host.folder))
        tpg = self.tpg()
        view = f".targetcli/iscsi/{TARGET}/tpgt_1"
        self.mkdir("iscsi/iqn.2026-11.com.example:under_score", "iscsi/naa.60014051234567890123456789012345",
                   f"{tpg}/acls/{INITIATOR}_1", f"{tpg}/acls/{INITIATOR}", f"{tpg}/lun/lun_0", f"{tpg}/lun/lun_256",
                   f"{tpg}/acls/{INITIATOR}/lun_300")
        os.symlink(self.path("core/user_0/disk"), self.path(f"{tpg}/lun/lun_0/a"))
        os.symlink(self.path("core/user_0/disk"), self.path(f"{tpg}/lun/lun_256/a"))
        os.symlink(self.path(f"{tpg}/lun/lun_0"), self.path(f"{tpg}/acls/{INITIATOR}/lun_300/a"))
        self.assertEqual(self.folders(".targetcli/iscsi"), [TARGET])
        self.assertEqual(self.folders(f"{view}/acls"), [INITIATOR])
        self.assertEqual(self.folders(f"{view}/lun"), ["lun_0"])
        self.assertNotIn("lun_300", os.listdir(self.path(f"{view}/acls/{INITIATOR}")))
        self.assertFalse(os.path.exists(self.path(f"{view}/lun/lun_256")))
        self.assert_refused(errno.EEXIST, os.mkdir, self.path(f"{view}/lun/lun_256"))
        left_out = self.read(".targetcli/left_out").splitlines()
        self.assertEqual(len(left_out), 5, left_out)
        self.assertTrue(any(line.startswith(f"{tpg}/lun/lun_256: ") for line in left_out))
        os.mkdir(self.path(f"{view}/lun/lun_1"))
        os.symlink(self.path("core/user_0/disk"), self.path(f"{view}/lun/lun_1/b"))
        self.assertTrue(os.path.islink(self.path(f"{tpg}/lun/lun_1/b")))
        self.assertEqual(os.path.realpath(self.path(f"{view}/lun/lun_1/b")), self.path(".targetcli/core/user_0/disk"))


if __name__ == "__main__":
    require_fuse()
    unittest.main()
