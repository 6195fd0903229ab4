# SPDX-License-Identifier: Apache-2.0
"""Debian's targetcli on the tree, through tcmu-targetcli, as root and as an ordinary user."""
import json
import os
import pwd
import shutil
import stat
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "../iscsi"))
# pylint: disable=wrong-import-position
import cdb
import initiator
from host import Daemon, free_port, require_fuse, skip

WRAPPER = os.environ["TCMU_TARGETCLI"]
TARGET = "iqn.2026-11.com.example:disks"
INITIATOR = "iqn.2026-11.com.example:host"
TPG = f"/iscsi/{TARGET}/tpg1"
ACL = f"{TPG}/acls/{INITIATOR}"
NO_PORTAL = "set global auto_add_default_portal=false"


class Targetcli(unittest.TestCase):
    def setUp(self):
        self.home = tempfile.mkdtemp(prefix="targetcli-")
        self.addCleanup(shutil.rmtree, self.home, ignore_errors=True)
        self.saveconfig = os.path.join(self.home, "saveconfig.json")
        self.private = os.path.join(self.home, "private")
        self.port = free_port()
        self.daemon = Daemon("--saveconfig", self.saveconfig, folder=os.path.join(self.home, "it's a tree"))
        self.addCleanup(self.daemon.stop)

    def run_it(self, *args, tree=True, env=None, stdin=""):
        where = ["--tree", self.daemon.folder] if tree else []
        return subprocess.run([WRAPPER, *where, "--socket", os.path.join(self.daemon.scratch, "run/control"), *args],
                              input=stdin, capture_output=True, text=True, check=False, timeout=300,
                              env=os.environ | {"HOME": self.home, "TCMU_TARGETCLI_FOLDER": self.private} | (env or {}))

    def run_ok(self, *args, **options):
        run = self.run_it(*args, **options)
        self.assertEqual(run.returncode, 0, (args, run.stdout, run.stderr))
        return run.stdout + run.stderr

    def run_in_one_process(self, *commands):
        return self.run_ok(stdin="".join(f"{command}\n" for command in (*commands, "exit")))

    def create_all(self):
        """Each process finds the objects of those before it. A process for each command would take three times as long."""
        output = self.run_in_one_process(
            NO_PORTAL,
            "/backstores/user:alloc create a 16M x",
            f"/backstores/user:file create b 1M {self.home}/b.img",
            f"/backstores/fileio create f {self.home}/file.img 1M",
            "/backstores/ramdisk create r 1M")
        self.assertIn("size 1048576", output)
        self.run_in_one_process(
            f"/iscsi create {TARGET}",
            f"{TPG}/portals create 127.0.0.1 {self.port}",
            *(f"{TPG}/luns create /backstores/{disk}" for disk in ("user:alloc/a", "user:file/b", "fileio/f", "ramdisk/r")))
        self.run_in_one_process(
            f"{TPG}/acls create {INITIATOR}",
            f"{ACL} set auth userid=alice password=twelve-and-more",
            f"{TPG} set attribute authentication=1",
            f"{ACL} delete 3",
            f"{ACL} create 7 3 1")

    def test_create_save_clear_restore_and_delete(self):
        self.create_all()
        before = self.run_ok("ls")
        for words in ("x (16.0MiB) activated", "file.img (1.0MiB) write-back activated", "Mapped LUNs: 4",
                      "lun3 ramdisk/r (ro)", f"127.0.0.1:{self.port}"):
            self.assertIn(words, before)
        session = initiator.Session(("127.0.0.1", self.port), TARGET, initiator=INITIATOR,
                                    chap=initiator.Chap("alice", "twelve-and-more"))
        session.execute(cdb.TEST_UNIT_READY)
        session.good(cdb.TEST_UNIT_READY)
        sessions = self.run_ok("sessions", "detail")
        for words in (INITIATOR, "LOGGED_IN", "mapped-lun: 7 backstore: ramdisk/r mode: r", "127.0.0.1"):
            self.assertIn(words, sessions)
        session.connection.close()

        self.assertIn("the daemon has saved its configuration, too", self.run_ok("saveconfig"))
        with open(self.saveconfig, encoding="utf-8") as file:
            self.assertEqual(json.load(file)["targets"][0]["wwn"], TARGET)
        self.assertEqual(stat.S_IMODE(os.stat(self.private).st_mode), 0o700)
        with open(os.path.join(self.private, "saveconfig.json"), encoding="utf-8") as file:
            self.assertEqual(len(json.load(file)["storage_objects"]), 4)
        self.run_ok("clearconfig", "confirm=True")
        self.assertEqual(os.listdir(self.daemon.path("core")), ["alua"])
        self.assertIn("Configuration restored from", self.run_ok("restoreconfig"))
        self.assertEqual(self.run_ok("ls"), before)
        initiator.Session(("127.0.0.1", self.port), TARGET, initiator=INITIATOR,
                          chap=initiator.Chap("alice", "twelve-and-more")).connection.close()
        self.run_ok("/backstores/ramdisk", "delete", "r")
        self.run_ok("/iscsi", "delete", TARGET)
        self.assertIn("Targets: 0", self.run_ok("ls"))

    def test_restored_without_errors_as_it_was(self):
        self.create_all()
        self.run_ok(TPG, "set", "parameter", "TargetAlias=disks")
        self.run_ok("/backstores/user:alloc/a", "set", "attribute", "cmd_time_out=45")
        self.run_ok("saveconfig")
        with open(os.path.join(self.private, "saveconfig.json"), encoding="utf-8") as file:
            first = json.load(file)
        self.assertEqual(len(first["storage_objects"]), 4)
        self.assertEqual(len(first["targets"][0]["tpgs"][0]["node_acls"][0]["mapped_luns"]), 4)
        self.run_ok("clearconfig", "confirm=True")
        self.run_ok("restoreconfig")
        self.run_ok("saveconfig")
        with open(os.path.join(self.private, "saveconfig.json"), encoding="utf-8") as file:
            self.assertEqual(json.load(file), first)
        self.assertTrue(os.listdir(os.path.join(self.private, "backup")))

    def test_reasons(self):
        run = self.run_it("/backstores/user:file", "create", "c", "1M", "/none/such/c.img;wrong=1")
        self.assertIn("cfgstring invalid", run.stdout + run.stderr)
        self.assertIn("wrong", run.stdout + run.stderr)
        run = self.run_it("/backstores/user:file", "create", "c", "1M", "/none/such/c.img")
        self.assertIn("failed", run.stdout + run.stderr)
        self.assertIn("/none/such", self.daemon.reason())
        self.assertEqual(os.listdir(self.daemon.path("core")), ["alua"])

    def test_interactive(self):
        output = self.run_in_one_process(NO_PORTAL, f"/iscsi create {TARGET}", "ls /iscsi")
        self.assertIn("Created TPG 1", output)
        self.assertIn("Configuration saved", output)
        self.assertIn("the daemon has saved its configuration, too", output)

    def test_left_out(self):
        os.mkdir(self.daemon.path("iscsi/iqn.2026-11.com.example:under_score"))
        output = self.run_ok("ls", "/iscsi")
        self.assertIn("does not show them", output)
        self.assertIn("under_score: targetcli refuses an underscore", output)
        self.assertIn("Targets: 0", output)

    def test_without_namespaces(self):
        with open(os.path.join(self.home, "unshare"), "w", encoding="utf-8") as file:
            file.write("#!/bin/sh\necho 'unshare: unshare failed: Operation not permitted' >&2\nexit 1\n")
        os.chmod(file.name, 0o755)
        run = self.run_it("ls", env={"PATH": f"{self.home}:{os.environ['PATH']}"})
        self.assertEqual(run.returncode, 1)
        self.assertIn("does not let user", run.stderr)
        self.assertIn("Operation not permitted", run.stderr)
        self.assertIn("tcmuctl", run.stderr)

    def test_which_tree(self):
        run = self.run_it("--tree", self.home, "ls", tree=False)
        self.assertEqual(run.returncode, 1)
        self.assertIn("is not the tree", run.stderr)
        self.assertIn("backstores", self.run_ok("ls", tree=False, env={"TCMU_CONFIGFS": self.daemon.folder}))
        other = Daemon(folder=os.path.join(self.home, "other"))
        self.addCleanup(other.stop)
        run = self.run_it("ls", tree=False, env={"TCMU_CONFIGFS": ""})
        self.assertEqual(run.returncode, 1)
        self.assertIn("more than one tree", run.stderr)

    def test_nothing_outside_changes(self):
        def mounts():
            # Other tests mount their trees in the folder for temporary files at the same time.
            with open("/proc/self/mounts", encoding="utf-8") as file:
                return [line for line in file if not line.split()[1].startswith(tempfile.gettempdir())]
        before = mounts()
        self.run_ok("ls")
        self.assertEqual(mounts(), before)
        self.assertFalse(os.path.exists("/run/targetcli.lock"))


@unittest.skipUnless(os.geteuid() == 0, "needs root")
class OrdinaryUser(unittest.TestCase):
    def test_all_tests_of_this_file_pass(self):
        user = pwd.getpwnam("nobody")
        prepare = ("mount -t tmpfs -o dev none /mnt && mknod -m 666 /mnt/fuse c 10 229 && "
                   "mount --bind /mnt/fuse /dev/fuse && "
                   f"exec setpriv --reuid {user.pw_uid} --regid {user.pw_gid} --clear-groups -- \"$@\"")
        inside = ["unshare", "-m", "sh", "-ec", prepare, "sh"]
        if subprocess.run([*inside, sys.executable, "-c", f"open({__file__!r}); open({WRAPPER!r})"],
                          capture_output=True, check=False).returncode:
            inside = []  # User nobody may not read this folder, so the tests run as root.
        run = subprocess.run([*inside, sys.executable, __file__, "Targetcli"], capture_output=True, text=True,
                             check=False, timeout=3000)
        self.assertEqual(run.returncode, 0, run.stdout + run.stderr)


if __name__ == "__main__":
    require_fuse()
    if subprocess.run(["unshare", *([] if os.geteuid() == 0 else ["--user", "--map-root-user"]), "--mount", "true"],
                      capture_output=True, check=False).returncode:
        skip("this user may not create a mount namespace")
    unittest.main()
