# SPDX-License-Identifier: Apache-2.0
"""The command line: an error ends the daemon with one clear line and a status other than zero, before anything is
served."""
import os
import re
import resource
import socket
import subprocess
import sys
import tempfile
import unittest

import cdb
from daemon import IQN, Daemon, command_line, free_port, run, wait_until

ALLOC = "alloc/a,size=16M,name=a"


class CommandLine(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="tcmur-cli-")
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def path(self, name, size=None):
        path = os.path.join(self.folder, name)
        if size is not None:
            with open(path, "wb") as file:
                file.truncate(size)
        return path

    def secret(self, text="a-secret-of-length", mode=0o600):
        path = self.path("secret")
        with open(path, "wb") as file:
            file.write(text.encode() + b"\n")
        os.chmod(path, mode)
        return path

    def refused(self, *args, names=()):
        """The daemon must end with one line that contains each of names."""
        result = run("--portal", f"127.0.0.1:{free_port()}", *args)
        self.assertGreater(result.returncode, 0, f"{args}: exit status {result.returncode}")
        lines = result.stderr.splitlines()
        self.assertEqual(len(lines), 1, f"{args}: {result.stderr}")
        for name in names:
            self.assertIn(name, lines[0])
        self.assertEqual(result.stdout, "")

    def export(self, text, *names):
        with self.subTest(export=text):
            self.refused("--export", text, names=names)

    def test_help_and_version(self):
        for option in ("-h", "--help", "-V", "--version"):
            result = run(option)
            self.assertEqual((result.returncode, result.stderr), (0, ""), option)
            self.assertTrue(result.stdout.strip())

    def test_help_fits_a_terminal(self):
        text = run("--help").stdout
        self.assertLessEqual(max(map(len, text.splitlines())), 80)
        self.assertIn("…", subprocess.run(command_line("--help"), env=os.environ | {"LC_ALL": "C.UTF-8"}, check=True,
                                          stdout=subprocess.PIPE, encoding="utf-8").stdout.splitlines()[1])

    def test_dump_one_handler(self):
        result = run("--dump-handlers", "null")
        self.assertIn("name=null\n", result.stdout)
        self.assertNotIn("name=file\n", result.stdout)
        self.refused("--dump-handlers=nosuch", names=["nosuch"])

    def test_run(self):
        """The command gets the address of the first export, and its exit status becomes that of the daemon."""
        export = ("--export", "alloc/a,size=1M,name=a,lun=3")
        result = run(*export, "--run", "echo $uri; echo $portal $target $lun; exit 7")
        self.assertEqual(result.returncode, 7, result.stderr)
        uri, words = result.stdout.splitlines()
        portal, target, lun = words.split()
        self.assertEqual((uri, lun), (f"iscsi://{portal}/{target}/3", "3"))
        self.assertNotEqual(portal, "127.0.0.1:3260")
        self.assertEqual(run(*export, "--run", "kill -TERM $$").returncode, 128 + 15)
        self.assertEqual(run(*export, "--run", "exec 3<>/dev/null; true").returncode, 0)
        self.assertEqual(run("--run", "true").returncode, 1)
        connect = f"{sys.executable} -c 'import socket, sys; a, p = sys.argv[1].split(\":\"); " \
                  "socket.create_connection((a, int(p)))' $portal"
        self.assertEqual(run(*export, "--run", connect).returncode, 0)

    def test_run_ends_with_the_daemon(self):
        process = subprocess.Popen(command_line("--export", ALLOC, "--run", "echo $$; exec sleep 1000"),
                                   stdout=subprocess.PIPE, text=True)
        child = int(process.stdout.readline())
        process.terminate()
        self.assertEqual(process.wait(20), 128 + 15)
        process.stdout.close()
        with self.assertRaises(ProcessLookupError):
            os.kill(child, 0)

    def test_pidfile(self):
        path = self.path("pid")
        with Daemon("--export", ALLOC, "--pidfile", path) as daemon:
            wait_until(lambda: os.path.exists(path) and os.path.getsize(path))
            with open(path, encoding="ascii") as file:
                self.assertEqual(file.read(), f"{daemon.process.pid}\n")
        self.assertFalse(os.path.exists(path))
        os.symlink(self.path("elsewhere"), path)
        result = run("--export", ALLOC, "--portal", "127.0.0.1:0", "--pidfile", path)
        self.assertEqual(result.returncode, 1)
        self.assertIn(path, result.stderr)
        self.assertFalse(os.path.exists(self.path("elsewhere")))

    def test_log_dir(self):
        with Daemon("--export", ALLOC, "--tcmu-log-dir", self.folder):
            pass
        with open(self.path("tcmu-runner-iscsi.log"), encoding="utf-8") as log:
            self.assertIn("LUN 0 of", log.read())
        self.assertFalse(os.path.exists(self.path("tcmu-runner.log")))
        os.unlink(self.path("tcmu-runner-iscsi.log"))
        with Daemon("--export", ALLOC, env={"TCMU_LOGDIR": self.folder}):
            pass
        with open(self.path("tcmu-runner-iscsi.log"), encoding="utf-8") as log:
            self.assertIn("LUN 0 of", log.read())

    def test_log_dir_of_tcmu_conf(self):
        """The file tcmu.conf belongs to both services. The daemon of the kernel's devices has another log file."""
        with open(self.path("tcmu.conf"), "w", encoding="utf-8") as conf:
            conf.write(f"log_dir = {self.folder}\n")
        run("--config", self.path("tcmu.conf"))
        with Daemon("--export", ALLOC, "--config", self.path("tcmu.conf")):
            pass
        with open(self.path("tcmu-runner-iscsi.log"), encoding="utf-8") as log:
            self.assertIn("LUN 0 of", log.read())
        self.assertTrue(os.path.exists(self.path("tcmu-runner.log")))

    def test_path_that_is_not_ascii(self):
        """Paths are bytes, independent of the locale."""
        for name in ("Größe.img".encode(), b"\xff\xfe.img"):
            path = os.path.join(os.fsencode(self.folder), name)
            with open(path, "wb") as image:
                image.truncate(1 << 20)
            with Daemon(b"--export", b"file/" + path + b",name=a", env={"LC_ALL": "C"}) as daemon, \
                    daemon.session("a") as session:
                session.execute(cdb.TEST_UNIT_READY)

    def test_dump_handlers(self):
        result = run("--dump-handlers")
        self.assertEqual(result.returncode, 0)
        for name in ("file", "alloc", "block", "null"):
            self.assertIn(f"name={name}\n", result.stdout)

    def test_unknown_option(self):
        self.refused("--bogus", names=["--bogus"])
        self.refused("--export", ALLOC, "stray", names=["stray"])

    def test_option_without_value(self):
        for option in ("--export", "--portal", "--handler-path", "--threads", "--iqn"):
            result = run(option)
            self.assertGreater(result.returncode, 0)
            self.assertEqual(len(result.stderr.splitlines()), 1, result.stderr)
            self.assertIn(option, result.stderr)

    def test_nothing_to_serve(self):
        self.refused("--run-dir", "/dev/null/no-folder", names=["--export"])

    def test_settings_that_are_not_there(self):
        missing = self.path("none.conf")
        self.refused("--export", ALLOC, "--config", missing, names=[f"--config {missing}: No such file or directory"])
        self.refused("--export", ALLOC, "--config", self.folder, names=[f"--config {self.folder}: Is a directory"])

    def test_option_given_twice(self):
        for option, values in (("--iqn", ("iqn.2026-11.test:x", "iqn.2026-11.test:y")), ("--chap-user", ("u", "v")),
                               ("--threads", ("1", "2")), ("--queue-depth", ("128", "64")), ("--state-dir", ("a", "b"))):
            with self.subTest(option=option):
                self.refused("--export", "alloc/a,size=1M", option, values[0], option, values[1],
                             names=[f"{option} is given twice"])

    def test_empty_values(self):
        secret = self.secret()
        self.refused("--export", ALLOC, "--allow-any", "--chap-user", "", "--chap-secret-file", secret,
                     names=["--chap-user is empty"])
        self.refused("--export", ALLOC, "--chap-user", "u", "--chap-secret-file", secret, "--mutual-user", "",
                     "--mutual-secret-file", secret, names=["--mutual-user is empty"])

    def test_options_without_exports(self):
        for option in (("--portal", "127.0.0.1:1"), ("--iqn", "iqn.2026-11.test:x"), ("--allow-any",), ("--reveal-targets",),
                       ("--allow-cold-reset",), ("--allow-initiator", "iqn.2026-11.test:x"), ("--queue-depth", "64"),
                       ("--chap-user", "u", "--chap-secret-file", self.secret())):
            for more in ((), ("--saveconfig", self.path("none"))):
                result = run(*option, *more)
                self.assertEqual(result.returncode, 1)
                self.assertIn(f"{option[0]} has no effect without --export;", result.stderr)
        for option in ("--max-connections", "--max-half-open", "--login-timeout", "--nop-interval", "--nop-timeout"):
            self.assertIn(f"{option} has no effect without --export, --saveconfig or --tree", run(option, "5").stderr)

    def test_errors_of_usage_name_the_help(self):
        for args in (("--bogus",), ("--threads", "x"), ("--chap-user", ""), ("stray",)):
            self.assertTrue(run(*args).stderr.endswith("see tcmu-runner --help\n"))

    def test_hints(self):
        self.refused("--export", "/srv/x", names=["file//srv/x"])
        relative = self.path("absent").lstrip("/")
        self.refused("--export", f"file/{relative}", names=[f"did you mean file//{relative}?"])
        self.assertIn("127.0.0.1:44002", run("--export", ALLOC, "--portal", "44002").stderr)

    def test_numbers_out_of_range(self):
        for option in ("--threads", "--pool-threads", "--spin-us", "--queue-depth", "--max-connections",
                       "--max-half-open", "--login-timeout", "--nop-interval", "--nop-timeout"):
            for value in ("-1", "x", "99999999", "1x", "99999999999999999999", ""):
                with self.subTest(option=option, value=value):
                    self.refused("--export", ALLOC, f"{option}={value}")

    def test_unknown_handler(self):
        self.export("nosuch/thing,size=1M", "nosuch")

    def test_malformed_export(self):
        for text in ("", "alloc", "/", "/x", "alloc,size=1M", ",", "alloc/a,=x,size=1M",
                     "alloc/a,size=16M,name="):
            self.export(text)

    def test_bad_size(self):
        for size in ("", "0", "x", "-1", "1Q", "1.5G", "16M16M", "99999999999999999999", "16777216T", "100", " 1M"):
            self.export(f"alloc/a,size={size}")

    def test_alloc_without_size(self):
        self.export("alloc/a")

    def test_alloc_larger_than_memory(self):
        self.export("alloc/a,size=1000T", "alloc/a")

    def test_bad_block_size(self):
        for size in ("0", "511", "1024", "8192", "x", ""):
            self.export(f"alloc/a,size=1M,block_size={size}", "block_size")

    def test_unknown_key(self):
        self.export("alloc/a,size=1M,bogus=1", "bogus")
        self.export("file/" + self.path("f", 1 << 20) + ",cache=sometimes", "sometimes")

    def test_same_key_twice(self):
        self.export("alloc/a,size=1M,size=2M")
        for options in (";cache=writeback,cache=writethrough", ",cache=writeback,cache=writethrough"):
            self.export("file/" + self.path("f", 1 << 20) + options, "cache is given twice")

    def test_read_only_with_value(self):
        self.export("alloc/a,size=1M,ro=maybe", "ro")

    def test_bad_name(self):
        self.export("alloc/a,size=1M,name=" + "n" * 300)
        self.export("alloc/a,size=1M,name=white space")

    def test_bad_iqn(self):
        for name in ("", "x", "iqn.", "iqn.2026-11.io.x:" + "n" * 300, "iqn.2026-11.te st:x"):
            with self.subTest(iqn=name[:30]):
                self.refused("--export", ALLOC, "--iqn", name)

    def two(self, first, second, *names):
        with self.subTest(exports=(first, second)):
            self.refused("--export", first, "--export", second, names=names)

    def test_lun_numbers(self):
        for lun in ("", "-1", "16384", "x", "1x", "0x1"):
            self.export(f"alloc/a,size=1M,lun={lun}", f"lun={lun}")
        self.two("alloc/a,size=1M,name=t,lun=1", "alloc/b,size=1M,name=t", "alloc/a", "alloc/b", "lun=N", ":t")
        self.two("alloc/a,size=1M,name=t", "alloc/b,size=1M,name=T", "alloc/a", "alloc/b", "lun=N")
        self.two("alloc/a,size=1M,name=t,lun=1", "alloc/b,size=1M,name=t,lun=1", "alloc/a", "alloc/b", "both LUN 1")
        self.refused("--iqn", "iqn.2026-11.test:x", "--export", "alloc/a,size=1M", "--export", "alloc/b,size=1M,lun=1",
                     names=["alloc/a", "lun=N"])

    def test_default_names_that_collide(self):
        for first, second in (("vm_1.img", "vm-1.img"), ("VM 1.img", "vm-1.img"), ("x/disk", "y/disk")):
            os.makedirs(os.path.dirname(self.path(first)), exist_ok=True)
            os.makedirs(os.path.dirname(self.path(second)), exist_ok=True)
            first, second = self.path(first, 1 << 20), self.path(second, 1 << 20)
            self.two(f"file/{first}", f"file/{second}", first, second, "default name", "name=")
        self.two("alloc/a,size=1M", "alloc/b,size=1M,name=a", "alloc/a", "alloc/b", "default name")

    def test_name_beside_iqn(self):
        self.refused("--export", ALLOC, "--iqn", "iqn.2026-11.test:x", names=["name=a", "--iqn"])

    def test_create(self):
        """A file is created only if the command line asks for it."""
        path = self.path("disk")
        self.export(f"file/{path},size=1M", path, "create")
        self.assertFalse(os.path.exists(path))
        self.export(f"file/{path},size=1M,create=yes", "create")
        self.export(f"file/{path},create", path, "give the disk a size")
        for size, use in (("511", "512"), ("1000", "1024"), ("4095,block_size=4096", "4096")):
            self.export(f"file/{path},create,size={size}", size.split(",", maxsplit=1)[0])
            self.export(f"alloc/a,size={size}", size.split(",", maxsplit=1)[0], use)
        self.assertFalse(os.path.exists(path), "a refused export left its file")
        with Daemon("--export", f"file/{path},size=1M,create,name=a") as daemon:
            wait_until(lambda: f"file/{path}: did not exist and was created" in daemon.output())
        with Daemon("--export", f"file/{path},size=1M,create,name=a") as daemon:
            wait_until(lambda: "listening on" in daemon.output())
            self.assertNotIn("was created", daemon.output())

    def test_failed_start_leaves_no_file(self):
        """The files are created last, and removed again if the start fails afterwards."""
        made = ["--export", f"file/{self.path('one')},size=1M,create", "--export", f"file/{self.path('two')},size=1M,create"]
        kept = self.path("kept", 1 << 20)
        with socket.create_server(("127.0.0.1", 0)) as other:
            result = run(*made, "--export", f"file/{kept},create", "--portal", f"127.0.0.1:{other.getsockname()[1]}")
        self.assertEqual(result.returncode, 1)
        self.assertEqual(os.listdir(self.folder), ["kept"])
        self.refused(*made, "--export", f"file/{self.path('absent')}", names=["absent"])
        self.refused(*made, "--export", "alloc/x,size=1000T", names=["alloc/x"])
        self.refused(*made, "--export", f"file/{self.path('missing/disk')},size=1M,create", names=["missing/disk"])
        self.assertEqual(os.listdir(self.folder), ["kept"])

    def test_file_paths(self):
        missing = self.path("missing/disk")
        self.export(f"file/{missing},size=1M,create", missing)
        self.export(f"file/{self.path('absent')}", self.path("absent"))
        self.export(f"file/{self.folder}", self.folder)
        self.export("file//dev/null,size=1M", "/dev/null")
        self.export("file/,size=1M,create")
        self.assertFalse(os.path.exists(self.path("absent")), "a refused export created its file")

    def test_file_shorter_than_asked(self):
        """A file that exists keeps its size. To ask for another size is an error."""
        path = self.path("short", 1 << 20)
        self.export(f"file/{path},size=2M", path)
        self.assertEqual(os.path.getsize(path), 1 << 20)

    def test_empty_file(self):
        self.export(f"file/{self.path('empty', 0)}", self.path("empty"))

    def test_limit_of_file_size(self):
        """The main thread reaches the limit. The kernel then sends a signal that would end the process by default."""
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, before[1]))
        try:
            self.refused("--export", f"file/{self.path('large')},size=2M,create", names=["File too large"])
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)

    def test_block_paths(self):
        self.export(f"block/{self.path('nodev')}", self.path("nodev"))
        self.export(f"block/{self.path('regular', 1 << 20)}", self.path("regular"))
        self.export("block//dev/null", "/dev/null")

    def test_handler_path(self):
        result = run("--handler-path", self.path("nowhere"), "--export", ALLOC)
        self.assertGreater(result.returncode, 0)
        self.assertIn("nowhere: No such file or directory; --handler-path names another folder", result.stderr)
        self.assertEqual(len(result.stderr.splitlines()), 1, result.stderr)

    def test_bad_portal(self):
        for portal in ("", "x", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:70000", "127.0.0.1:-1", "[::1", "::1:3260x",
                       "300.0.0.1:3260", "[::1]3260", "localhost.invalid:3260"):
            with self.subTest(portal=portal):
                result = run("--export", ALLOC, "--portal", portal)
                self.assertGreater(result.returncode, 0)
                self.assertEqual(len(result.stderr.splitlines()), 1, result.stderr)

    def test_address_that_is_not_there_yet(self):
        """The other portal is served in the meantime."""
        with Daemon("--export", ALLOC, "--allow-any", "--portal", "192.0.2.77:3260", "--portal", "[2001:db8::1]:3260") as daemon:
            for portal in ("192.0.2.77:3260", "[2001:db8::1]:3260"):
                self.assertIn(f"{portal}: no interface has this address yet", daemon.output())
            with daemon.session("a") as session:
                self.assertEqual(session.ping(), b"ping")

    def test_busy_port(self):
        with socket.create_server(("127.0.0.1", 0)) as other:
            portal = f"127.0.0.1:{other.getsockname()[1]}"
            result = run("--export", ALLOC, "--portal", portal)
        self.assertGreater(result.returncode, 0)
        self.assertEqual(len(result.stderr.splitlines()), 1, result.stderr)
        self.assertIn(portal, result.stderr)

    def test_one_busy_port_of_two(self):
        """If one of the ports is in use, the other one is not served either."""
        with socket.create_server(("127.0.0.1", 0)) as other:
            free, busy = free_port(), other.getsockname()[1]
            result = run("--export", ALLOC, "--portal", f"127.0.0.1:{free}", "--portal", f"127.0.0.1:{busy}")
        self.assertGreater(result.returncode, 0)
        self.assertIn(str(busy), result.stderr)

    def test_wide_portal_needs_an_acl(self):
        for portal in (f"0.0.0.0:{free_port()}", f"[::]:{free_port('::1')}"):
            result = run("--export", ALLOC, "--portal", portal)
            self.assertGreater(result.returncode, 0)
            self.assertIn("--allow-", result.stderr)

    def test_same_backing_store_twice(self):
        path = self.path("disk", 1 << 20)
        self.refused("--export", f"file/{path},name=a", "--export", f"file/{path},name=b", names=[path])

    def test_second_instance_on_one_file(self):
        path = self.path("disk", 1 << 20)
        with Daemon("--export", f"file/{path},name=a"):
            self.export(f"file/{path},name=a", path)
        with Daemon("--export", f"file/{path},name=a"):
            pass  # the port is free again after a clean stop

    def test_secret_files(self):
        def chap(path):
            return "--export", ALLOC, "--chap-user", "u", "--chap-secret-file", path
        self.refused(*chap(self.path("none")), names=[self.path("none")])
        self.refused(*chap(self.secret(mode=0o644)), names=["secret"])
        self.refused(*chap(self.secret(text="short")), names=["secret"])
        os.mkfifo(self.path("fifo"), 0o600)
        self.refused(*chap(self.path("fifo")), names=["fifo", "regular file"])
        self.refused(*chap(self.secret(text="x" * 5000)), names=["secret"])
        for text, names in (("secret\0of-length", ["NUL"]), ("secret\rof-length", ["CR"]),
                            ("\ufeffsecret-of-length", ["byte order mark"])):
            with self.subTest(secret=text):
                self.refused(*chap(self.secret(text)), names=names)
        if os.geteuid() == 0:
            path = self.secret()
            os.chown(path, 65534, 65534)
            self.refused(*chap(path), names=[path, "belongs to another user"])
        self.refused("--export", ALLOC, "--chap-user", "u", names=["--chap-secret-file"])
        self.refused("--export", ALLOC, "--chap-secret-file", self.secret(), names=["--chap-user"])
        self.refused("--export", ALLOC, "--mutual-user", "u", "--mutual-secret-file", self.secret())
        self.refused("--export", ALLOC, "--chap-discovery")

    def test_allow_any_and_an_acl(self):
        self.refused("--export", ALLOC, "--allow-any", "--allow-initiator", "iqn.2026-11.test:x")


class Served(unittest.TestCase):
    """Valid command lines."""

    def test_blank_at_the_end_of_a_secret(self):
        with tempfile.NamedTemporaryFile() as secret:
            secret.write("a-secret-of-Größe \r\n".encode())
            secret.flush()
            with Daemon("--export", ALLOC, "--chap-user", "Jürgen", "--chap-secret-file", secret.name) as daemon:
                self.assertIn(f"{secret.name}: the secret begins or ends with a blank", daemon.output())

    def test_all_ipv6_addresses(self):
        """The portal [::] does not include IPv4, and the log says so."""
        for portal, hint in (("[::]:0", ", for IPv6 only; *:PORT listens for IPv4, too"), ("*:0", "")):
            with Daemon("--export", ALLOC, "--allow-any", "--portal", portal) as daemon:
                wait_until(lambda: f"listening on {portal[:-1]}" in daemon.output(), daemon.output)
                self.assertRegex(daemon.output(), rf"(?m)listening on {re.escape(portal[:-1])}[1-9]\d*{re.escape(hint)}$")

    def test_sizes(self):
        for text, size in (("65536", 65536), ("64K", 65536), ("16M", 16 << 20), ("1G", 1 << 30)):
            with Daemon("--export", f"alloc/a,size={text},name=a") as daemon, daemon.session("a") as session:
                session.execute(cdb.TEST_UNIT_READY)
                data = session.good(cdb.read_capacity16(), length=32)
                self.assertEqual((int.from_bytes(data[:8], "big") + 1) * 512, size)

    def test_bytes_that_are_not_served(self):
        for size, block, tail in ((8001 * 512, 4096, 512), (123456789, 512, 277)):
            with tempfile.NamedTemporaryFile() as image:
                image.truncate(size)
                with Daemon("--export", f"file/{image.name},block_size={block},name=a") as daemon:
                    lines = [line for line in daemon.output().splitlines() if "not served" in line]
                    self.assertEqual(len(lines), 1, daemon.output())
                    self.assertIn(f"the last {tail} of {size} bytes are not served", lines[0])

    def test_comma_in_a_path(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "a,b,,c.img")
            with open(path, "wb") as image:
                image.truncate(1 << 20)
            with Daemon("--export", f"file/{path.replace(',', ',,')},name=a") as daemon, daemon.session("a") as session:
                session.execute(cdb.TEST_UNIT_READY)

    def test_relative_path(self):
        """A relative path begins in the current folder and not in the state folder."""
        with tempfile.TemporaryDirectory(dir=".") as folder:
            path = f"{os.path.basename(folder)}/disk"
            with Daemon("--state-dir", f"{folder}/state", "--export", f"file/{path},size=1M,create,name=a"):
                self.assertEqual(os.path.getsize(path), 1 << 20)

    def test_ipv6_portal(self):
        with Daemon("--export", ALLOC, host="::1") as daemon:
            with daemon.session("a") as session:
                self.assertEqual(session.ping(), b"ping")
            with daemon.discovery() as session:
                address = f"[::1]:{daemon.address[1]},1"
                self.assertIn(("TargetAddress", address), session.text({"SendTargets": "All"}))

    def test_public_address(self):
        port = free_port()
        with Daemon("--export", ALLOC, "--portal", f"127.0.0.1:{port}=san.example.com:13260", portal=False,
                    port=port) as daemon, daemon.discovery() as session:
            addresses = [value for key, value in session.text({"SendTargets": "All"}) if key == "TargetAddress"]
            self.assertEqual(addresses, ["san.example.com:13260,1"])

    def test_string_of_dev_config(self):
        """Options of a handler may also follow a semicolon, and a tilde with two digits stands for a byte."""
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "a;b.img")
            with Daemon("--export", f"file/{folder}/a~3bb.img;cache=writethrough,size=1M,create,name=a"):
                self.assertEqual(os.path.getsize(path), 1 << 20)

    def test_iqn(self):
        name = "iqn.1999-01.com.example:all"
        with Daemon("--export", "alloc/a,size=1M,lun=0", "--export", "alloc/b,size=1M,lun=1", "--iqn", name) as daemon:
            with daemon.discovery() as session:
                pairs = session.text({"SendTargets": "All"})
                self.assertEqual([v for k, v in pairs if k == "TargetName"], [name])

    def test_shared_name_makes_luns(self):
        """Gaps between LUN numbers remain, and the order of the options does not matter."""
        exports = ("alloc/b,size=2M,name=a,lun=7", "alloc/c,size=3M,name=a,lun=16383", "alloc/a,size=1M,name=a,lun=2")
        with Daemon(*(arg for export in exports for arg in ("--export", export))) as daemon:
            with daemon.session("a") as session:
                data = session.good(cdb.report_luns(), length=256)
                self.assertEqual(data[:4], bytes([0, 0, 0, 24]))
                flat = 0x4000 | 16383  # SAM-5 4.7.7.4
                self.assertEqual(data[8:], b"".join(lun.to_bytes(2, "big") + bytes(6) for lun in (2, 7, flat)))
                for lun, size in ((2, 1), (7, 2), (flat, 3)):
                    session.execute(cdb.TEST_UNIT_READY, lun=lun)
                    capacity = session.good(cdb.read_capacity16(), length=32, lun=lun)
                    self.assertEqual((int.from_bytes(capacity[:8], "big") + 1) * 512, size << 20)

    def test_acl(self):
        from initiator import LoginError, Session
        with Daemon("--export", ALLOC, "--allow-initiator", "iqn.2026-11.test:friend") as daemon:
            for name in ("iqn.2026-11.test:friend", "IQN.2026-11.TEST:Friend"):
                with daemon.session("a", initiator=name) as session:
                    self.assertEqual(session.logout(), 0)
            with self.assertRaises(LoginError) as caught:
                Session(daemon.address, IQN + "a", initiator="iqn.2026-11.test:foe")
            self.assertEqual(caught.exception.status, 0x0202)

    def test_allowed_initiators_see_all_luns(self):
        with Daemon("--export", ALLOC + ",lun=0", "--export", ALLOC + ",lun=5", "--allow-initiator",
                    "iqn.2026-11.test:one", "--allow-initiator", "iqn.2026-11.test:two") as daemon:
            for name in ("iqn.2026-11.test:one", "iqn.2026-11.test:two"):
                with daemon.session("a", initiator=name) as session:
                    data = session.good(cdb.report_luns(), length=256)
                    self.assertEqual(data[8:], bytes(8) + bytes([0, 5]) + bytes(6))
                    for lun in (0, 5):
                        session.execute(cdb.TEST_UNIT_READY, lun=lun)
                        session.good(cdb.write10(0, 8), name.encode().ljust(4096), lun=lun)
                        self.assertEqual(session.good(cdb.read10(0, 8), length=4096, lun=lun),
                                         name.encode().ljust(4096))

    def test_discovery_hides_targets_from_strangers(self):
        from initiator import LoginError
        with Daemon("--export", ALLOC, "--allow-initiator", "iqn.2026-11.test:friend") as daemon:
            with self.assertRaises(LoginError) as caught:
                daemon.discovery(initiator="iqn.2026-11.test:foe")
            self.assertEqual(caught.exception.status, 0x0202)

    def test_without_io_uring(self):
        with Daemon("--export", ALLOC, "--no-io-uring") as daemon, daemon.session("a") as session:
            session.execute(cdb.TEST_UNIT_READY)
            session.good(cdb.write10(0, 8), b"x" * 4096)
            self.assertEqual(session.good(cdb.read10(0, 8), length=4096), b"x" * 4096)

    def test_threads(self):
        for threads in ("1", "3"):
            with Daemon("--export", ALLOC, "--threads", threads) as daemon:
                for _ in range(4):
                    with daemon.session("a") as session:
                        self.assertEqual(session.ping(), b"ping")

    def test_interrupt(self):
        import signal
        daemon = Daemon("--export", ALLOC)
        daemon.stop(signal.SIGINT)


if __name__ == "__main__":
    unittest.main()
