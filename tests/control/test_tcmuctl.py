# SPDX-License-Identifier: Apache-2.0
"""tcmuctl's commands: what they print, and each exit status. The commands for sessions have a file of their own."""
import json
import os
import pty
import select
import socket
import subprocess
import tempfile
import threading
import time

from control_case import HOST, TARGET, TCMUCTL, TPG, ControlCase, main
from control_socket import Control
from daemon import Daemon, wait_until

DISK = ("t_disk", "alloc/t_disk", "--size", "1M")


class Commands(ControlCase):
    def folder(self):
        folder = tempfile.TemporaryDirectory(prefix="tcmur-ctl-")
        self.addCleanup(folder.cleanup)
        return folder.name

    def test_a_disk_for_an_initiator(self):
        """Runs the example of the man page."""
        self.assertEqual(self.tcmuctl("create", *DISK), "user_0/t_disk is created\n")
        portal = f"127.0.0.1:{self.daemon.address[1]}"
        self.assertEqual(self.tcmuctl("create", TARGET, "--portal", portal),
                         f"{TARGET} is created\n{TPG} is created\n{TPG}/{portal} is created\n")
        self.assertIn("as LUN 0", self.tcmuctl("map", TARGET, "t_disk", "--initiator", HOST))
        tree = self.tcmuctl("ls")
        for line in (r"o- user_0/t_disk \.+ \[alloc/t_disk \(1\.0 MiB\) served\]",
                     r"o- tpgt_1 \.+ \[enabled, no-gen-acls, no-auth\]", rf"o- {HOST} \.+ \[Mapped LUNs: 1\]",
                     r"o- lun_0 \.+ \[lun_0 user_0/t_disk \(rw\)\]", rf"o- {portal} \.+ \[OK\]"):
            self.assertRegex(tree, line)
        self.assertIn(f"{TPG}/{HOST}/lun_0\n", self.tcmuctl("ls", "--paths"))
        self.assertTrue(self.tcmuctl("ls", TPG).startswith(f"o- {TPG} "))
        luns = self.tcmuctl("luns")
        self.assertIn(f"{TPG}  LUN 0  user_0/t_disk  1.0 MiB  served  for {HOST}\n", luns)
        self.assertIn("served  for initiators whose ACL maps it\n", luns)
        self.tcmuctl("set", TPG, "attrib/generate_node_acls=1")
        # demo_mode_write_protect is 1 by default.
        self.assertIn("served  read-only  for initiators without an ACL\n", self.tcmuctl("luns"))
        self.assertEqual([(row["initiator"], row["read_only"], row["write_protect"])
                          for row in self.tcmuctl_json("luns")["services"][0]["luns"] if row["tpg"] == TPG],
                         [("", True, False), (HOST, False, False)])
        self.tcmuctl("set", f"{TPG}/{HOST}/lun_0", "write_protect=1")
        self.tcmuctl("set", TPG, "attrib/demo_mode_write_protect=0")
        luns = self.tcmuctl("luns")
        self.assertIn("served  for initiators without an ACL\n", luns)
        self.assertIn(f"served  read-only  for {HOST}\n", luns)

    def test_whole_names(self):
        """A disk has its whole name in each answer, however the command names it."""
        self.tcmuctl("create", *DISK)
        self.tcmuctl("create", TARGET)
        self.assertEqual(self.tcmuctl("set", "t_disk", "attrib/emulate_write_cache=auto"),
                         "user_0/t_disk: attrib/emulate_write_cache is set\n")
        self.assertEqual(self.tcmuctl("enable", "t_disk"), "user_0/t_disk is enabled\n")
        mapped = self.tcmuctl("map", TARGET, "t_disk")
        self.assertIn(f"{TARGET} shows user_0/t_disk as LUN 0\n", mapped)
        self.assertIn(f"tcmuctl map {TARGET} user_0/t_disk --initiator", mapped)
        self.tcmuctl("unmap", TARGET, "t_disk")
        self.assertEqual(self.tcmuctl("delete", "t_disk"), "user_0/t_disk is deleted\n")

    def test_reasons(self):
        """An error names what is wrong, why, and what to do."""
        image = self.image()
        self.tcmuctl("create", *DISK)
        self.tcmuctl("create", "t_ro", "file/" + image, "--read-only")
        self.tcmuctl("create", TARGET)
        self.tcmuctl("map", TARGET, "t_disk", "--initiator", HOST)
        self.tcmuctl("create", f"{TPG}/0.0.0.0:3999")
        missing = "there is no target nope; the name of a target begins with iqn., eui. or naa."
        for status, reason, *command in (
                (4, missing, "map", "nope", "t_disk"), (4, missing, "unmap", "nope", "t_disk"),
                (2, "not the name of a target", "create", "disks", "--portal", "127.0.0.1:0"),
                (4, missing, "drain", "nope"), (4, missing, "sessions", "nope"),
                (4, "there is no storage object nope", "map", TARGET, "nope"),
                (1, "t_ro: it is read-only, so its storage is not enlarged to 2097152 bytes", "resize", "t_ro", "2M"),
                (1, "t_disk: 513 bytes are fewer than the disk has", "resize", "t_disk", "513"),
                (1, f"user_0/t_disk: it is in use by the LUN {TPG}/lun_0; delete this LUN first", "delete", "t_disk"),
                (1, f"it is in use by the mapped LUN {TPG}/{HOST}/lun_0", "delete", f"{TPG}/lun_0"),
                (1, "t_b: block_size: it must be 0, 512", "create", "t_b", "alloc/b", "--block-size", "7"),
                (1, "/: enforce_discovery_auth must be 0 or 1", "set", "/", "discovery_auth/enforce_discovery_auth=x"),
                (4, "/ has no attribute \"nope\"", "get", "/", "nope"),
                (1, "the portal 0.0.0.0:3999 of this daemon", "create", f"{TPG}/*:3999"),
                (1, "use 10.0.0.0/8 for the network", "set", TPG, "attrib/allowed_addresses=10.0.0.1/8")):
            with self.subTest(command=command):
                self.tcmuctl(*command, status=status)
                self.assertIn(reason, self.errors)

    def test_portal_whose_address_is_missing(self):
        self.tcmuctl("create", TARGET)
        self.tcmuctl("create", f"{TPG}/192.0.2.77:3999")
        self.assertRegex(self.tcmuctl("ls"), r"o- 192\.0\.2\.77:3999 \.+ \[no interface has this address\]")
        self.assertEqual(self.tcmuctl_json("ls", f"{TPG}/192.0.2.77:3999")["state"], "no address")

    def test_create_again(self):
        self.tcmuctl("create", *DISK)
        self.assertEqual(self.tcmuctl("create", *DISK), "user_0/t_disk already exists\n")
        self.tcmuctl("create", *DISK[:3], "2M", status=1)
        self.assertIn("control/size", self.errors)
        self.tcmuctl("create", TARGET)
        self.assertIn("already exists", self.tcmuctl("create", TARGET))
        # A portal without a port has LIO's port.
        self.tcmuctl("create", TARGET, "--portal", "127.0.0.1:3260")
        self.assertIn(f"{TPG}/127.0.0.1:3260 already exists\n", self.tcmuctl("create", TARGET, "--portal", "127.0.0.1"))
        self.assertIn("advertise", self.tcmuctl("get", f"{TPG}/127.0.0.1"))

    def test_create_others(self):
        self.tcmuctl("create", *DISK, "--block-size", "4096", "--serial", "t-serial", "--read-only")
        values = self.tcmuctl_json("get", "t_disk")["attributes"]
        self.assertEqual((values["control/block_size"], values["control/read_only"], values["wwn/vpd_unit_serial"]),
                         (4096, True, "t-serial"))
        self.tcmuctl("create", TARGET, "--set", "attrib/generate_node_acls=1", "--disabled")
        self.assertEqual(self.tcmuctl("get", TPG, "attrib/generate_node_acls"), "1\n")
        self.assertIn("[disabled, gen-acls, no-auth]", self.tcmuctl("ls", TARGET))
        self.assertEqual(self.tcmuctl("enable", TARGET), f"{TARGET} is enabled\n")
        self.tcmuctl("create", TPG + "/lun_4", "--to", "t_disk")
        self.tcmuctl("create", TARGET + "/tpgt_2")
        self.assertIn("[enabled", self.tcmuctl("ls", TARGET + "/tpgt_2"))
        self.tcmuctl("create", "t_later", "--disabled")
        self.assertIn("configured", self.tcmuctl("ls", "t_later"))

    def test_create_is_undone(self):
        """If a step is refused, the steps before it are undone."""
        before = self.tcmuctl("ls", "--paths")
        self.tcmuctl("create", TARGET, "--portal", "127.0.0.1:0", "--portal", "nonsense", status=1)
        self.assertEqual(self.tcmuctl("ls", "--paths"), before)
        self.tcmuctl("create", TARGET, "--set", "attrib/authentication=7", status=1)
        self.assertEqual(self.tcmuctl("ls", "--paths"), before)
        self.tcmuctl("create", "t_disk", "nosuch/a", status=1)
        self.assertEqual(self.tcmuctl("ls", "--paths"), before)

    def test_map(self):
        self.tcmuctl("create", *DISK)
        self.tcmuctl("create", TARGET)
        self.assertIn("--initiator IQN", self.tcmuctl("map", TARGET, "t_disk", "--lun", "3"))
        self.assertIn("as LUN 3, as it did before", self.tcmuctl("map", TARGET, "t_disk"))
        self.tcmuctl("map", TARGET, "t_disk", "-i", HOST, "-l", "5", "-r")
        self.assertIn(f"LUN 5  user_0/t_disk  1.0 MiB  served  read-only  for {HOST}", self.tcmuctl("luns"))
        self.assertEqual(self.tcmuctl("unmap", TARGET, "t_disk", "--initiator", HOST),
                         f"{TPG}/{HOST}/lun_5 is deleted\n")
        self.assertEqual(self.tcmuctl("unmap", TARGET, "--lun", "3"), f"{TPG}/lun_3 is deleted\n")
        self.tcmuctl("unmap", TARGET, "t_disk", status=4)
        self.tcmuctl("unmap", TARGET, status=2)
        for number in ("-5", "-1", "", "0x3", "3 "):
            self.tcmuctl("map", TARGET, "t_disk", "--lun", number, status=2)
            self.tcmuctl("unmap", TARGET, "t_disk", "--lun", number, status=2)
        self.tcmuctl("map", TARGET, "t_disk", "--lun", "99999", status=1)

    def test_set_and_get(self):
        self.tcmuctl("create", TARGET)
        self.assertEqual(self.tcmuctl("set", TPG, "attrib/authentication", "1"),
                         f"{TPG}: attrib/authentication is set\n")
        self.assertEqual(self.tcmuctl("get", TPG, "attrib/authentication"), "1\n")
        self.tcmuctl("set", TPG, "attrib/authentication=0", "attrib/demo_mode_discovery=0")
        text = self.tcmuctl("get", TPG)
        self.assertIn("attrib/authentication = 0\n", text)
        self.assertIn("attrib/demo_mode_discovery = 0\n", text)
        self.assertEqual(self.tcmuctl_json("get", TPG, "attrib/authentication")["value"], False)
        self.tcmuctl("set", TPG, "attrib/authentication", "7", status=1)
        self.tcmuctl("set", TPG, "attrib/nosuch", "7", status=4)
        self.tcmuctl("set", TPG, "attrib/authentication", status=2)
        self.tcmuctl("set", TPG, "attrib/authentication", "1", "1", status=2)
        self.tcmuctl("get", TPG, "attrib/nosuch", status=4)

    def test_secrets(self):
        self.tcmuctl("create", TARGET)
        path = os.path.join(self.folder(), "secret")
        with open(path, "w", encoding="ascii") as file:
            file.write("a secret of the file\nand a second line\n")
        os.chmod(path, 0o644)
        self.tcmuctl("set", TPG, "auth/password", "--file", path, status=1)
        self.assertIn("chmod 600", self.errors)
        os.chmod(path, 0o600)
        self.tcmuctl("set", TPG, "auth/password", "--file", path)
        self.assertEqual(self.tcmuctl("get", TPG, "auth/password"), "(set)\n")
        for text, word in (("secret\0of the file", "NUL"), ("secret\rof the file", "(CR)"), ("\ufeffsecret of it", "BOM")):
            with open(path, "w", encoding="utf-8", newline="") as file:
                file.write(text + "\n")
            self.tcmuctl("set", TPG, "auth/password", "--file", path, status=1)
            self.assertIn(word, self.errors)
        with open(path, "w", encoding="ascii", newline="") as file:
            file.write("a secret with a blank \r\n")
        warned = subprocess.run([TCMUCTL, "set", TPG, "auth/password", "--file", path], capture_output=True, text=True,
                                timeout=60, check=True, env=os.environ | {"TCMU_SOCKET": self.path})
        self.assertIn("begins or ends with a blank", warned.stderr)
        if os.geteuid() == 0:
            os.chown(path, 65534, 65534)
            self.tcmuctl("set", TPG, "auth/password", "--file", path, status=1)
            self.assertIn("belongs to another user", self.errors)
            os.chown(path, 0, 0)
        with open(path, "w", encoding="ascii") as file:
            file.write("a secret of the file\n")
        self.tcmuctl("set", TPG, "auth/password_mutual", "--file", "-", stdin="a secret of the input\n")
        self.tcmuctl("set", TPG, "auth/password_mutual", "--file", "-", stdin="", status=1)
        # A secret is never taken from an argument.
        self.tcmuctl("set", TPG, "auth/password", "a secret in arguments", status=2)
        self.assertNotIn("in arguments", self.errors)
        self.tcmuctl("create", f"{TPG}/{HOST}", "--set", "auth/password=a secret in arguments", status=2)
        self.tcmuctl("create", f"{TPG}/{HOST}", "--set-file", f"auth/password={path}", "--set", "auth/userid=u")
        self.assertEqual(self.tcmuctl("get", f"{TPG}/{HOST}", "auth/password"), "(set)\n")

    def test_resize(self):
        image = self.image()
        self.tcmuctl("create", "t_disk", "file/" + image)
        self.assertEqual(self.tcmuctl("resize", "t_disk", "2M"), "user_0/t_disk has 2.0 MiB now\n")
        self.assertEqual(self.tcmuctl("resize", "t_disk", "+1M"), "user_0/t_disk has 3.0 MiB now\n")
        self.tcmuctl("resize", "t_disk", "many", status=2)
        self.tcmuctl("resize", "nosuch", "1M", status=4)
        # Another file has taken the place of the image.
        self.assertEqual(self.tcmuctl("get", "t_disk", "health/problem"), "\n")
        os.replace(self.image(4 << 20), image)
        wait_until(lambda: "path leads to other storage" in self.tcmuctl("get", "t_disk", "health/problem"))
        self.assertIn('but the old storage is still served; "tcmuctl replace" opens the other storage',
                      self.tcmuctl("get", "t_disk", "health/problem"))
        self.assertIn("was opened again", self.tcmuctl("replace", "t_disk"))
        self.assertIn("4.0 MiB", self.tcmuctl("ls", "t_disk"))

    def test_memory_is_not_replaced(self):
        self.tcmuctl("create", *DISK)
        self.tcmuctl("replace", "t_disk", status=1)
        self.assertIn("would empty it", self.errors)
        self.assertIn("served", self.tcmuctl("ls", "t_disk"))

    def test_filters(self):
        self.tcmuctl("create", "t_disk", "alloc/t_disk;filter=delay;read=1ms;filter=error;operations=flush",
                     "--size", "1M")
        self.assertEqual(self.tcmuctl("filters", "t_disk"), "0 delay read=1ms\n1 error operations=flush\n")
        self.assertIn("is set\n", self.tcmuctl("set-filter", "t_disk", "delay", "read=2ms"))
        self.tcmuctl("set-filter", "t_disk", "1", "count=3")
        self.tcmuctl("set-filter", "t_disk", "error", "operations")
        self.assertEqual(self.tcmuctl("filters", "t_disk"), "0 delay read=2ms\n1 error count=3\n")
        self.tcmuctl("set-filter", "t_disk", "delay", "read=2", status=1)
        self.assertIn("filter delay: read=2: this is not a time; use for example", self.errors)
        self.tcmuctl("set-filter", "t_disk", "nosuch", "read=2", status=4)
        self.assertIn("tcmuctl filters", self.errors)
        self.tcmuctl("filters", "nosuch", status=4)
        self.tcmuctl("set-filter", "t_disk", "delay", status=2)

    def test_delete(self):
        self.tcmuctl("create", *DISK)
        self.tcmuctl("create", TARGET)
        self.tcmuctl("map", TARGET, "t_disk")
        self.tcmuctl("delete", "t_disk", status=1)
        self.tcmuctl("delete", TARGET, status=1)
        self.assertIn("--recursive", self.errors)
        self.assertEqual(self.tcmuctl("disable", TARGET), f"{TARGET} is disabled, and its sessions have ended\n")
        self.assertEqual(self.tcmuctl("delete", TARGET, "--recursive"), f"{TARGET} is deleted\n")
        self.assertEqual(self.tcmuctl("delete", "t_disk"), "user_0/t_disk is deleted\n")
        self.tcmuctl("delete", "t_disk", status=4)
        self.assertIn("tcmuctl ls", self.errors)

    def test_schema(self):
        self.assertIn("attrib/generate_node_acls", self.tcmuctl("schema"))
        schema = self.tcmuctl_json("schema")
        self.assertEqual(schema["version"], 1)

    def test_show(self):
        self.tcmuctl("create", TARGET)
        lines = self.tcmuctl("show").splitlines()
        self.assertIn(f"tid=2 name={TARGET}", lines)
        self.assertEqual(self.tcmuctl("show", "--tid", "2"), "QueuedCommands=64\n")
        configured = self.tcmuctl("show", "-t", "2", "-s", "0").splitlines()
        self.assertIn("InitialR2T=Yes", configured)
        self.assertIn("MaxBurstLength=262144", configured)
        self.assertEqual(self.tcmuctl_json("show", "--tid", "2")["QueuedCommands"], "64")
        self.tcmuctl("show", "--tid", "9", status=4)
        self.tcmuctl("show", "--sid", "1", status=2)
        self.tcmuctl("show", "--tid", "x", status=2)

    def test_json(self):
        """Each command prints one document."""
        commands = (("create", "t_disk", "file/" + self.image()), ("create", TARGET), ("map", TARGET, "t_disk"), ("status",), ("ls",),
                    ("ls", TPG),
                    ("luns",), ("sessions",), ("get", TPG), ("set", TPG, "attrib/authentication", "0"), ("schema",),
                    ("show", "--tid", "1"), ("resize", "t_disk", "1M"), ("replace", "t_disk"), ("filters", "t_disk"), ("drain",),
                    ("enable", TARGET), ("disable", TARGET), ("unmap", TARGET, "t_disk"), ("delete", TARGET, "-r"),
                    ("delete", "t_disk"))
        for command in commands:
            with self.subTest(command=command):
                self.assertIsInstance(self.tcmuctl_json(*command), dict)
        self.assertEqual(self.tcmuctl_json("delete", "t_disk", status=4)["error"]["data"]["errno"], "ENOENT")
        self.call("enable", path=self.exported_target())

    def exported_target(self):
        return next(child["path"] for child in self.call("list", depth=1)["children"] if child["kind"] == "target")

    def test_usage(self):
        for command in ("status", "ls", "luns", "sessions", "create", "delete", "enable", "disable", "map", "unmap",
                        "get", "set", "resize", "replace", "filters", "set-filter", "drain", "kick", "save", "restore", "reload", "diff",
                        "forget", "watch", "show", "schema"):
            with self.subTest(command=command):
                self.tcmuctl(command, "--nosuch", status=2)
                if command != "set":
                    self.tcmuctl(command, *["word"] * 20, status=2)
                help_text = self.tcmuctl(command, "--help")
                self.assertIn(f"tcmuctl {command}", help_text)
                self.assertIn("--json", help_text)
                self.assertLessEqual(max(map(len, help_text.splitlines())), 100)
        for words in (("create",), ("create", "t_disk"), ("create", TARGET, "alloc/a"),
                      ("create", TARGET, "--size", "1M"),
                      ("create", "t_disk", "alloc/a", "--size", "x"), ("create", "t_disk", "alloc/a", "--portal", "a"),
                      ("map", TARGET), ("set", TPG), ("resize", "a"), ("--socket",), ("--socket", "/a")):
            with self.subTest(words=words):
                self.tcmuctl(*words, status=2)

    def test_no_daemon(self):
        missing = os.path.join(self.folder(), "control")
        for args, env in ((("status", "--socket", missing), {}), (("--socket", missing, "status"), {}),
                          ((f"--socket={missing}", "ls"), {}), (("status",), {"TCMU_SOCKET": missing}),
                          (("watch",), {"TCMU_SOCKET": missing})):
            with self.subTest(args=args):
                self.tcmuctl(*args, status=3, env=env)
                self.assertIn(missing, self.errors)
        # The option overrides the variable.
        self.tcmuctl("status", "--socket", self.path, env={"TCMU_SOCKET": missing})


class Degraded(ControlCase):
    def test_status(self):
        """Storage that has failed makes the status degraded; tcmuctl ends with 5."""
        self.assertIn("targets: 1", self.tcmuctl("status"))
        image = self.image()
        self.tcmuctl("create", "t_disk", f"file/{image}")
        os.truncate(image, 4096)
        wait_until(lambda: self.call("status")["degraded"])
        self.assertRegex(self.tcmuctl("status", status=5), "DEGRADED: user_0/t_disk: the storage is shorter")
        document = self.tcmuctl_json("status", status=5)
        self.assertEqual(document["services"][0]["problems"][0]["path"], "user_0/t_disk")


class Terminal(ControlCase):
    args = ("--export", "alloc/a,size=64M,name=a")

    def test_watch(self):
        """Events are printed at once, as lines or as JSON, and the end of the daemon differs from an interruption."""
        watchers = [subprocess.Popen([TCMUCTL, "watch", *more], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                     text=True, env=os.environ | {"TCMU_SOCKET": self.path})
                    for more in ((), ("--json",))]
        for watcher in watchers:
            self.addCleanup(watcher.kill)
        # A watcher has subscribed when it reports a change. Until then the test makes one change after another.
        number = 0
        for watcher in watchers:
            while not select.select([watcher.stdout], [], [], 0.2)[0]:
                self.call("create", path=f"t_{number}")
                number += 1
        self.assertRegex(watchers[0].stdout.readline(),
                         r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d created user_0/t_\d+: configured$")
        event = json.loads(watchers[1].stdout.readline())
        self.assertEqual((event["event"], event["kind"]), ("created", "storage"))
        for watcher in watchers:
            watcher.terminate()
            watcher.communicate()

    def test_end_of_daemon(self):
        daemon = Daemon(*self.args)
        self.addCleanup(daemon.process.kill)
        watcher = subprocess.Popen([TCMUCTL, "watch"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                   env=os.environ | {"TCMU_SOCKET": daemon.socket})
        self.addCleanup(watcher.kill)
        with Control(daemon.socket) as control:
            number = 0
            while not select.select([watcher.stdout], [], [], 0.2)[0]:
                control.call("create", path=f"t_{number}")
                number += 1
        daemon.stop()
        _, errors = watcher.communicate()
        self.assertEqual(watcher.returncode, 3, errors)
        self.assertIn("the daemon has ended", errors)


class FakeDaemon(ControlCase):
    """Replaces the daemon by a socket whose answers the test chooses."""

    def serve(self, answer, delay=0.0, notification=b""):
        """Sends the notification and, after the delay, the answer to one message. Returns the path of the socket."""
        folder = tempfile.TemporaryDirectory(prefix="tcmur-ctl-")
        self.addCleanup(folder.cleanup)
        path = os.path.join(folder.name, "control")
        server = socket.socket(socket.AF_UNIX)
        self.addCleanup(server.close)
        server.bind(path)
        server.listen()

        def run():
            connection, _ = server.accept()
            with connection:
                connection.recv(1 << 16)
                connection.sendall(notification)
                time.sleep(delay)
                connection.sendall(answer)

        thread = threading.Thread(target=run)
        thread.start()
        self.addCleanup(thread.join)
        return path

    def on_terminal(self, *args):
        """Runs tcmuctl on a terminal, and returns what it has written there."""
        pid, terminal = pty.fork()
        if pid == 0:
            os.execvp(TCMUCTL, [TCMUCTL, *args])
        output = b""
        while True:
            try:
                piece = os.read(terminal, 1 << 12)
            except OSError:  # EIO: the other side has closed the terminal
                piece = b""
            if not piece:
                break
            output += piece
        os.close(terminal)
        self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), 0, output)
        return output.decode()

    def test_progress(self):
        """On a terminal, tcmuctl shows that it waits for a long call, and removes the line again."""
        path = self.serve(b'{"jsonrpc":"2.0","id":1,"result":{}}\n', delay=3)
        output = self.on_terminal("enable", TARGET, "--socket", path)
        self.assertIn("\renable: waiting for the daemon, 1 s", output)
        self.assertIn(f"\r\x1b[K{TARGET} is enabled", output)

    def test_progress_with_steps(self):
        """The daemon reports steps, so that tcmuctl shows the rate and the time that is left."""
        path = self.serve(b'{"jsonrpc":"2.0","id":1,"result":{"lines":[]}}\n', delay=2.5,
                          notification=b'{"jsonrpc":"2.0","method":"progress","params":{"done":100,"total":400}}\n')
        output = self.on_terminal("reload", "--socket", path)
        self.assertRegex(output, r"\rreload: 100 of 400 steps, \d+/s, \d+ s left")
        self.assertIn("\r\x1b[Kthe configuration is restored", output)

    def test_no_progress_in_a_pipe(self):
        path = self.serve(b'{"jsonrpc":"2.0","id":1,"result":{}}\n', delay=1.5)
        self.assertEqual(self.tcmuctl("enable", TARGET, "--socket", path), f"{TARGET} is enabled\n")

    def test_no_answer(self):
        self.tcmuctl("enable", TARGET, "--socket", self.serve(b""), status=3)
        self.assertIn("without an answer", self.errors)

    def test_hostile_daemon(self):
        """Control characters that a daemon sends never reach the terminal."""
        answer = {"jsonrpc": "2.0", "id": 1, "error": {"code": 2, "message": "a\x1b[2Jb"}}
        self.tcmuctl("enable", TARGET, "--socket", self.serve(json.dumps(answer).encode() + b"\n"), status=1)
        self.assertIn("a?[2Jb", self.errors)
        answer = {"jsonrpc": "2.0", "id": 1, "result": {"path": "\x1b[2J", "kind": "storage"}}
        text = self.tcmuctl("ls", "user_0/a", "--socket", self.serve(json.dumps(answer).encode() + b"\n"))
        self.assertNotIn("\x1b", text)


if __name__ == "__main__":
    main()
