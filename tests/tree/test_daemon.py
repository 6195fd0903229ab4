# SPDX-License-Identifier: Apache-2.0
"""tcmu-runner --tree: disks that initiators use, the reasons for refusals, storage that hangs, and the scripts."""
import ctypes
import errno
import os
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "../iscsi"))
# pylint: disable=wrong-import-position
import cdb
import initiator
from daemon import lun_numbers
from test_systemd import EXEC_WITH_DESCRIPTORS
from host import DAEMON, HANDLERS, Daemon, free_port, free_port_of_both_families, in_background, require_fuse

SCRIPTS = os.path.realpath(os.path.join(os.path.dirname(os.path.realpath(__file__)), "../../scripts"))
HANG = os.environ.get("TCMU_RUNNER_HANG")
TARGET = "iqn.2026-11.com.example:disks"
INITIATOR = "iqn.2026-11.com.example:host"


def make_device(daemon, name, control):
    os.makedirs(daemon.path("core", name))
    daemon.write(f"core/{name}/control", control)
    daemon.write(f"core/{name}/enable", "1")


def make_target(daemon, device, port, acl=INITIATOR):
    """Makes a target with one LUN. With acl=None, every initiator may log in and write."""
    tpg = f"iscsi/{TARGET}/tpgt_1"
    os.makedirs(daemon.path(tpg))
    os.mkdir(daemon.path(tpg, f"np/127.0.0.1:{port}"))
    os.mkdir(daemon.path(tpg, "lun/lun_0"))
    os.symlink(daemon.path("core", device), daemon.path(tpg, "lun/lun_0/a"))
    if acl:
        os.makedirs(daemon.path(tpg, f"acls/{acl}/lun_0"))
        os.symlink(daemon.path(tpg, "lun/lun_0"), daemon.path(tpg, f"acls/{acl}/lun_0/a"))
    else:
        daemon.write(f"{tpg}/attrib/generate_node_acls", "1")
        daemon.write(f"{tpg}/attrib/demo_mode_write_protect", "0")
    daemon.write(f"{tpg}/enable", "1")
    return tpg


class Serving(unittest.TestCase):
    def assert_refused(self, code, function, *args):
        with self.assertRaises(OSError) as caught:
            function(*args)
        self.assertEqual(errno.errorcode[caught.exception.errno], errno.errorcode[code])

    def test_disk_of_an_initiator(self):
        port = free_port()
        with Daemon() as daemon:
            make_device(daemon, "user_0/disk", "dev_config=alloc/x,dev_size=16777216")
            tpg = make_target(daemon, "user_0/disk", port)
            session = initiator.Session(("127.0.0.1", port), TARGET, initiator=INITIATOR)
            session.execute(cdb.TEST_UNIT_READY)
            session.good(cdb.TEST_UNIT_READY)
            info = daemon.read(f"{tpg}/acls/{INITIATOR}/info")
            self.assertIn(f"InitiatorName: {INITIATOR}", info)
            self.assertIn("TARG_SESS_STATE_LOGGED_IN", info)
            self.assertIn("Address 127.0.0.1:", info)
            self.assertEqual(daemon.read(f"{tpg}/dynamic_sessions").strip(), "")
            # As in LIO, the parameters of an ACL are those that its session has, and nobody can set them.
            self.assertEqual(daemon.read(f"{tpg}/acls/{INITIATOR}/param/MaxBurstLength"), "262144\n")
            self.assertEqual(daemon.read(f"{tpg}/acls/{INITIATOR}/param/InitialR2T"), "1\n")
            self.assertEqual(len(os.listdir(daemon.path(f"{tpg}/acls/{INITIATOR}/param"))), 11)
            self.assert_refused(errno.EACCES, daemon.write, f"{tpg}/acls/{INITIATOR}/param/InitialR2T", "0")
            commands = int(daemon.read(f"{tpg}/lun/lun_0/statistics/scsi_tgt_port/in_cmds"))
            self.assertGreaterEqual(commands, 0)
            self.assert_refused(errno.EBUSY, os.rmdir, daemon.path("core/user_0/disk"))
            self.assertIn("user_0/disk", daemon.reason())
            # The LUN is removed during the session; later commands are refused.
            os.unlink(daemon.path(tpg, f"acls/{INITIATOR}/lun_0/a"))
            os.unlink(daemon.path(tpg, "lun/lun_0/a"))
            os.rmdir(daemon.path("core/user_0/disk"))
            self.assertTrue(session.execute(cdb.TEST_UNIT_READY).status)
            session.connection.close()
            while "No active" not in daemon.read(f"{tpg}/acls/{INITIATOR}/info"):
                pass
            self.assertEqual(daemon.read(f"{tpg}/acls/{INITIATOR}/param/InitialR2T"), "No Active iSCSI Session\n")

    def test_acl_of_a_session(self):
        """When mkdir returns, the session of the initiator sees what its new ACL gives."""
        port = free_port()
        with Daemon() as daemon:
            make_device(daemon, "user_0/disk", "dev_config=alloc/x,dev_size=16777216")
            tpg = make_target(daemon, "user_0/disk", port, acl=None)
            session = initiator.Session(("127.0.0.1", port), TARGET, initiator=INITIATOR)
            session.execute(cdb.TEST_UNIT_READY)
            session.good(cdb.TEST_UNIT_READY)
            acl = f"{tpg}/acls/{INITIATOR}"
            os.mkdir(daemon.path(acl))
            self.assertEqual(session.execute(cdb.TEST_UNIT_READY).key, cdb.NO_SUCH_LUN)
            self.assertIn("TARG_SESS_STATE_LOGGED_IN", daemon.read(f"{acl}/info"))
            os.mkdir(daemon.path(acl, "lun_0"))
            os.symlink(daemon.path(tpg, "lun/lun_0"), daemon.path(acl, "lun_0/a"))
            self.assertEqual(lun_numbers(session), [0])
            os.unlink(daemon.path(acl, "lun_0/a"))
            os.rmdir(daemon.path(acl, "lun_0"))
            os.rmdir(daemon.path(acl))
            session.connection.wait_closed()

    def test_seen_when_answered(self):
        """When a command returns, sessions see what it has changed, however soon they look."""
        port = free_port()
        with Daemon() as daemon:
            make_device(daemon, "user_0/disk", "dev_config=alloc/x,dev_size=16777216")
            tpg = make_target(daemon, "user_0/disk", port)
            acl = f"{tpg}/acls/{INITIATOR}"
            session = initiator.Session(("127.0.0.1", port), TARGET, initiator=INITIATOR)
            os.mkdir(daemon.path(acl, "lun_5"))
            for _ in range(40):
                os.symlink(daemon.path(tpg, "lun/lun_0"), daemon.path(acl, "lun_5/a"))
                self.assertEqual(lun_numbers(session), [0, 5])
                os.unlink(daemon.path(acl, "lun_5/a"))
                self.assertEqual(lun_numbers(session), [0])
            # Without an ACL, the initiator sees the LUNs of the TPG.
            daemon.write(f"{tpg}/attrib/generate_node_acls", "1")
            other = initiator.Session(("127.0.0.1", port), TARGET, initiator=INITIATOR + "2")
            os.mkdir(daemon.path(tpg, "lun/lun_6"))
            for _ in range(40):
                os.symlink(daemon.path("core/user_0/disk"), daemon.path(tpg, "lun/lun_6/a"))
                self.assertEqual(lun_numbers(other), [0, 6])
                os.unlink(daemon.path(tpg, "lun/lun_6/a"))
                self.assertEqual(lun_numbers(other), [0])
            session.connection.close()
            other.connection.close()

    def test_portal_of_both_families(self):
        """The portal [::]:PORT of the tree also takes IPv4 connections. The log calls it *:PORT."""
        port = free_port_of_both_families()
        with Daemon() as daemon:
            make_device(daemon, "user_0/disk", "dev_config=alloc/x,dev_size=16777216")
            tpg = make_target(daemon, "user_0/disk", free_port(), acl=None)
            os.mkdir(daemon.path(tpg, f"np/[::]:{port}"))
            session = initiator.Session(("127.0.0.1", port), TARGET, initiator=INITIATOR)
            self.assertEqual(daemon.read(f"{tpg}/dynamic_sessions").strip(), INITIATOR)
            self.assertIn(f"listening on *:{port}\n", daemon.output())
            session.connection.close()

    def test_reasons(self):
        with Daemon() as daemon:
            image = os.path.join(daemon.scratch, "disk.img")
            with open(image, "wb") as file:
                file.truncate(1 << 21)
            os.makedirs(daemon.path("core/user_0/disk"))
            for control, reason in ((f"dev_config=file/{image},dev_size=4194304", "2097152"),
                                    ("dev_config=none/x,dev_size=4096", "none"),
                                    ("dev_config=file//dev/null,dev_size=4096", "/dev/null"),
                                    ("dev_config=file//none/such,dev_size=4096", "/none/such")):
                daemon.write("core/user_0/disk/control", control)
                with self.assertRaises(OSError):
                    daemon.write("core/user_0/disk/enable", "1")
                self.assertIn(reason, daemon.reason())
                self.assertEqual(daemon.read("core/user_0/disk/enable"), "0\n")
            daemon.write("core/user_0/disk/control", f"dev_config=file/{image},dev_size=2097152")
            daemon.write("core/user_0/disk/enable", "1")

    def test_storage_in_the_tree_itself(self):
        """The daemon must not wait for itself."""
        with Daemon() as daemon:
            for number, control in enumerate((f"dev_config=file/{daemon.path('version')},dev_size=4096",
                                              f"dev_config=block/{daemon.path('version')}")):
                os.makedirs(daemon.path(f"core/user_{number}/self"))
                daemon.write(f"core/user_{number}/self/control", control)
                with self.assertRaises(OSError):
                    daemon.write(f"core/user_{number}/self/enable", "1")
                self.assertTrue(daemon.reason())
            os.makedirs(daemon.path("core/fileio_0/self"))
            daemon.write("core/fileio_0/self/control", f"fd_dev_name={daemon.path('core/fileio_0/self/info')}")
            self.assertIn("File: ", daemon.read("core/fileio_0/self/info"))

    def test_with_exports(self):
        port = free_port()
        with Daemon("--export", "alloc/a,size=16M", "--portal", f"127.0.0.1:{port}", "--iqn", TARGET) as daemon:
            tpg = f"iscsi/{TARGET}/tpgt_1"
            self.assertEqual(daemon.read("core/user_0/a/enable"), "1\n")
            self.assertEqual(os.path.realpath(daemon.path(tpg, "lun/lun_0/a")), daemon.path("core/user_0/a"))
            self.assertEqual(os.listdir(daemon.path(tpg, "np")), [f"127.0.0.1:{port}"])
            self.assertEqual(daemon.read(f"{tpg}/enable"), "1\n")

    def test_ramdisk_and_file(self):
        with Daemon() as daemon:
            make_device(daemon, "rd_mcp_0/r", "rd_pages=256")
            image = os.path.join(daemon.scratch, "it's a disk.img")
            make_device(daemon, "fileio_0/f", f"fd_dev_name={image},fd_dev_size=1048576,fd_buffered_io=1")
            self.assertEqual(os.path.getsize(image), 1 << 20)
            for device in ("rd_mcp_0/r", "fileio_0/f"):
                self.assertEqual(daemon.read(f"core/{device}/health/state"), "served\n")
                self.assertRegex(daemon.read(f"core/{device}/info"), "Size: 1048576 |PAGE_SIZE: 256[*]4096 ")
                serial = daemon.read(f"core/{device}/wwn/vpd_unit_serial")
                self.assertRegex(serial, "^T10 VPD Unit Serial Number: [0-9a-f-]{36}\n$")
                for name in os.listdir(daemon.path("core", device, "attrib")):
                    path = f"core/{device}/attrib/{name}"
                    if os.stat(daemon.path(path)).st_mode & 0o200:
                        daemon.write(path, daemon.read(path))
            self.assertEqual(daemon.read("core/fileio_0/f/attrib/emulate_write_cache"), "1\n")

    @unittest.skipUnless(HANG, "needs the handler that hangs")
    def test_slow_rmdir(self):
        port = free_port()
        daemon = Daemon(handlers=HANG)
        self.addCleanup(daemon.remove)
        make_device(daemon, "user_0/slow", "dev_config=hang/a,dev_size=16777216")
        tpg = make_target(daemon, "user_0/slow", port)
        session = initiator.Session(("127.0.0.1", port), TARGET, initiator=INITIATOR)
        session.execute(cdb.TEST_UNIT_READY)
        session.start(cdb.read10(1 << 14, 8), length=4096)
        session.ping()
        slow = in_background(os.unlink, daemon.path(tpg, f"acls/{INITIATOR}/lun_0/a"))
        for number in range(20):
            os.mkdir(daemon.path(f"core/user_{number + 1}"))
            daemon.read("core/user_0/slow/enable")
            self.assertIn(INITIATOR, daemon.read(f"{tpg}/acls/{INITIATOR}/info"))
        self.assertTrue(slow.is_running())
        self.assert_refused(errno.EBUSY, slow)
        self.assertIn("does not answer", daemon.reason())
        session.connection.close()

    def test_stop_while_programs_use_the_tree(self):
        """Requests that arrive while the daemon stops do not prevent a clean stop."""
        def use(daemon):
            while True:
                try:
                    daemon.reason()
                except OSError:
                    return

        for _ in range(10):
            with Daemon() as daemon:
                programs = [in_background(use, daemon) for _ in range(8)]
            for program in programs:
                program()

    def test_wrong_options(self):
        for args, reason in ((["--tree", ""], "--tree is empty"), (["--tree", "/none/such/tree"], "/none/such/tree"),
                             (["--tree", "/dev/null"], "not a folder"), (["--tree", "/dev/fd/999"], "/dev/fd/999")):
            run = subprocess.run([DAEMON, "--handler-path", HANDLERS, "--state-dir", "/tmp/none", *args],
                                 capture_output=True, text=True, check=False, timeout=120)
            self.assertEqual(run.returncode, 1, run.stderr)
            self.assertIn(reason, run.stderr)

    @unittest.skipUnless(os.geteuid() == 0, "needs root")
    def test_mount_of_another_program(self):
        """/dev/fd/N: a program with more rights has mounted the tree."""
        libc = ctypes.CDLL(None, use_errno=True)
        folder = os.path.realpath(os.path.join("/tmp", f"tree-{os.getpid()}"))
        os.mkdir(folder)
        fd = os.open("/dev/fuse", os.O_RDWR)
        options = f"fd={fd},rootmode=40000,user_id=0,group_id=0,allow_other"
        try:
            self.assertEqual(libc.mount(b"tree", folder.encode(), b"fuse", 0, options.encode()), 0)
            daemon = Daemon(folder=f"/dev/fd/{fd}", pass_fds=(fd,))
            os.close(fd)
            daemon.folder = folder
            os.mkdir(daemon.path("core/user_0"))
            self.assertEqual(os.listdir(daemon.path("core/user_0")), ["hba_info", "hba_mode"])
            other = subprocess.run(["setpriv", "--reuid", "65534", "--clear-groups", "sh", "-c",
                                    'cat "$1/version" && ! mkdir "$1/core/user_1" && ! echo x >"$1/dbroot" && '
                                    '! cat "$1/iscsi/discovery_auth/password"', "sh", folder],
                                   capture_output=True, text=True, check=False, timeout=120)
            self.assertEqual(other.returncode, 0, other.stderr)
            self.assertEqual(os.listdir(daemon.path("core")), ["alua", "user_0"])
            libc.umount2(folder.encode(), 2)
            daemon.stop()
        finally:
            libc.umount2(folder.encode(), 2)
            os.rmdir(folder)

    @unittest.skipUnless(os.geteuid() == 0, "needs root")
    def test_mount_that_systemd_passes(self):
        """systemd passes descriptors of /dev/fuse, and only one of them is mounted."""
        libc = ctypes.CDLL(None, use_errno=True)
        folder = os.path.realpath(os.path.join("/tmp", f"tree-passed-{os.getpid()}"))
        os.mkdir(folder)
        unused, fd = (os.open("/dev/fuse", os.O_RDWR) for _ in range(2))
        options = f"fd={fd},rootmode=40000,user_id=0,group_id=0,allow_other,default_permissions"
        become = [sys.executable, "-c", EXEC_WITH_DESCRIPTORS, f"{unused},{fd}"]
        try:
            self.assertEqual(libc.mount(b"tree", folder.encode(), b"fuse", 0, options.encode()), 0)
            daemon = Daemon(folder=folder, wrapper=become, pass_fds=(unused, fd),
                            env=os.environ | {"LISTEN_FDS": "2", "LISTEN_FDNAMES": "none:tree"})
            os.close(fd)
            os.mkdir(daemon.path("core/user_0"))
            self.assertEqual(os.listdir(daemon.path("core")), ["alua", "user_0"])
            self.assertIn("tree: kept open by systemd, used again", daemon.output())
            self.assertIn("none: kept open by systemd, but not used any more: closed", daemon.output())
            libc.umount2(folder.encode(), 2)
            daemon.stop()
        finally:
            os.close(unused)
            libc.umount2(folder.encode(), 2)
            os.rmdir(folder)


class Scripts(unittest.TestCase):
    def test_scripts(self):
        with Daemon() as daemon:
            run = subprocess.run([os.path.join(SCRIPTS, "../tests/scripts/both_roots.sh"), SCRIPTS],
                                 env=os.environ | {"TCMU_CONFIGFS": daemon.folder}, capture_output=True, text=True,
                                 check=False, timeout=600)
            self.assertEqual(run.returncode, 0, run.stdout + run.stderr)


if __name__ == "__main__":
    require_fuse()
    unittest.main()
