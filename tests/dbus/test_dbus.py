# SPDX-License-Identifier: Apache-2.0
"""Tests the D-Bus service as targetcli, other daemons and hostile callers use it."""
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import unittest

from bus import BOUND, ROOT, SERVICE, Bus, CallFailed, wait_for

MANAGER = "org.freedesktop.DBus.ObjectManager"
HANDLER_MANAGER = SERVICE + ".HandlerManager1"
# The package of an older daemon may have left such a policy file.
OPEN_POLICY = """<busconfig><policy user="root"><allow own_prefix="org.kernel.TCMUService1"/></policy>
<policy context="default"><allow send_destination="org.kernel.TCMUService1"/></policy></busconfig>"""
NOBODY = 65534


class BusCase(unittest.TestCase):
    policy = None

    def setUp(self):
        self.bus = Bus(self.policy)
        self.addCleanup(self.bus.remove)
        self.host = self.bus.program(os.environ["DBUS_HOST"], os.environ["DBUS_HANDLERS"])
        self.addCleanup(self.host.kill)
        self.host.wait_output("this daemon owns")

    def tearDown(self):
        """After each test, the service must still answer, and must end cleanly."""
        self.assertTrue(self.host.alive(), self.host.output())
        self.assertIn("null", self.handlers())
        self.host.stop()

    def objects(self):
        return self.bus.call(ROOT, MANAGER, "GetManagedObjects")[0]

    def handlers(self):
        return {path[path.rfind("/") + 1:] for path in self.objects()}

    def check(self, handler, config, **options):
        return self.bus.call(f"{ROOT}/{handler}", SERVICE, "CheckConfig", "s", config, **options)

    def register(self, subtype, desc="a description"):
        return self.bus.call(f"{ROOT}/HandlerManager1", HANDLER_MANAGER, "RegisterHandler", "ss", subtype, desc)

    def external(self, subtype, behaviour="good", desc="what follows"):
        program = self.bus.program(os.environ["DBUS_EXTERNAL"], subtype, desc, behaviour)
        self.addCleanup(program.kill)
        program.wait_output("\n")
        return program

    def call_silent_handler(self):
        """Starts a client that calls a handler whose process never answers. Returns the client."""
        self.external("foo", "silent")
        caller = self.bus.program("busctl", "--system", "call", SERVICE, f"{ROOT}/foo", SERVICE, "CheckConfig", "s",
                                  "foo/x")
        self.addCleanup(caller.kill)
        return caller

    def refused(self, *args, **options):
        with self.assertRaises(CallFailed) as caught:
            self.bus.call(*args, **options)
        return str(caught.exception)


class TargetcliTest(BusCase):
    def test_handlers(self):
        self.assertEqual(self.handlers(), {"alloc", "block", "file", "null"})
        for path, interfaces in self.objects().items():
            self.assertEqual(path[:path.rfind("/")], ROOT)
            self.assertEqual(list(interfaces), [SERVICE])
            self.assertTrue(interfaces[SERVICE]["ConfigDesc"]["data"])

    def test_config_desc(self):
        run = self.bus.busctl("get-property", SERVICE, f"{ROOT}/file", SERVICE, "ConfigDesc")
        self.assertEqual(json.loads(run.stdout)["data"],
                         self.objects()[f"{ROOT}/file"][SERVICE]["ConfigDesc"]["data"])

    def test_check_config(self):
        self.assertEqual(self.check("alloc", "alloc/a"), [True, "success"])
        self.assertEqual(self.check("file", "file//nowhere/at/all"), [True, "success"])
        valid, reason = self.check("alloc", "alloc/")
        self.assertFalse(valid)
        self.assertIn("name", reason)

    def test_check_config_judges_the_text_only(self):
        """The answer must not tell whether a path exists."""
        self.assertEqual(self.check("file", "file//etc/shadow"), self.check("file", "file//etc/shadoww"))

    def test_check_config_with_options(self):
        self.assertEqual(self.check("file", "file//a;cache=none;grow"), [True, "success"])
        self.assertEqual(self.check("file", "file//a~20b~2c~3a"), [True, "success"])
        self.assertEqual(self.check("file", "file//a;filter=delay;read=1ms;filter=error"), [True, "success"])
        for config, expected in (("file//a;speed=9", 'handler file has no option "speed"'),
                                 ("file//a;filter=nosuch", 'no filter "nosuch" is loaded'),
                                 ("file//a;filter=delay;read=1", "filter delay: read=1: this is not a time"),
                                 ("file//a b", "~20"), ("file//a:b", "~3a"), ("file//a,b", "~2c"),
                                 ("file//a~2f;cache=none", "not the path")):
            valid, reason = self.check("file", config)
            self.assertFalse(valid, config)
            self.assertIn(expected, reason)

    def test_wrong_configs(self):
        for config in ("", "/", "alloc", "file/x", "allocx/a", "alloc/a,b", "alloc/a\nb", "alloc/\x7f",
                       "alloc/" + "x" * 250, "alloc/" + "ä" * 200):
            valid, reason = self.check("alloc", config)
            self.assertFalse(valid, config)
            self.assertTrue(reason, config)
        self.assertEqual(self.check("alloc", "alloc/" + "x" * 249), [True, "success"])
        self.assertEqual(self.check("alloc", "alloc/%s%n"), [True, "success"])

    def test_introspection(self):
        run = self.bus.busctl("tree", "--list", SERVICE)
        self.assertIn(f"{ROOT}/HandlerManager1", run.stdout.split())

    def test_devices(self):
        devices = [{key: value["data"] for key, value in device.items()}
                   for device in self.bus.call(f"{ROOT}/Devices1", SERVICE + ".Devices1", "List")[0]]
        self.assertEqual(devices[0], {"name": "user_0/disk", "config": "file//srv/disk.img", "minor": 0,
                                      "state": "served", "error": "", "size": 1 << 30, "commands": 7,
                                      "doorbells": 5, "late": 2})
        self.assertEqual(devices[1]["name"], "user_1/odd %n??[2J \ufffd")
        self.assertEqual(devices[1]["error"], "gone \ufffd")
        self.assertEqual([device["state"] for device in devices], ["served", "failed", "opening"])

    def test_report(self):
        lines = self.bus.call(f"{ROOT}/Devices1", SERVICE + ".Devices1", "Report")[0].splitlines()
        self.assertEqual(sorted(lines[0].split()[1:]), sorted(self.handlers()))
        self.assertEqual([line.split("\t") for line in lines[1:]], [
            ["device", "user_0/disk", "served", "7", ""],
            ["device", "user_1/odd %n??[2J \ufffd", "failed", "0", "gone \ufffd"],
            ["device", "user_2/new", "opening", "0", ""],
            ["refused", "user_3/re?fused", "/srv/a.img holds 4096 bytes,?but size=8192"]])


class ExternalHandlerTest(BusCase):
    def test_handler_is_registered_used_and_removed(self):
        monitor = self.bus.program("gdbus", "monitor", "--system", "--dest", SERVICE)
        self.addCleanup(monitor.kill)
        monitor.wait_output("is owned by")
        other = self.external("foo", desc="what %s follows")
        self.assertEqual(other.output(), "(true, 'success')\n")
        self.assertEqual(self.objects()[f"{ROOT}/foo"], {SERVICE: {"ConfigDesc": {"type": "s",
                                                                                 "data": "what %s follows"}}})
        monitor.wait_output(f"InterfacesAdded (objectpath '{ROOT}/foo', "
                            "{'org.kernel.TCMUService1': {'ConfigDesc': <'what %s follows'>}})")
        self.assertEqual(self.check("foo", "foo/bar"), [True, ""])
        self.assertEqual(self.check("foo", "fool"), [False, "not mine"])
        other.kill()
        monitor.wait_output(f"InterfacesRemoved (objectpath '{ROOT}/foo', ['org.kernel.TCMUService1'])")
        self.assertNotIn("foo", self.handlers())
        self.assertIn("foo", self.refused(f"{ROOT}/foo", SERVICE, "CheckConfig", "s", "foo/bar"))
        self.assertEqual(self.external("foo").output(), "(true, 'success')\n")

    def test_subtype_taken(self):
        self.external("foo")
        for taken in "foo", "file":
            self.assertEqual(self.register(taken), [False, "a handler of this subtype is registered already"])
        self.assertEqual(self.check("foo", "foo/x"), [True, ""])

    def test_no_bus_name(self):
        self.assertIn("no process owns the bus name", self.external("foo", "nameless").output())
        self.assertNotIn("foo", self.handlers())
        self.assertEqual(self.external("foo").output(), "(true, 'success')\n")

    def test_malformed_answers(self):
        for behaviour, text in ("wrong", "type"), ("error", "cannot say"), ("silent", "Timeout"):
            other = self.external(behaviour, behaviour)
            valid, reason = self.check(behaviour, f"{behaviour}/x")
            self.assertFalse(valid)
            self.assertIn(text, reason)
            other.stop()

    def test_silent_client_delays_no_other(self):
        waiting = self.call_silent_handler()
        for _ in range(3):
            self.assertEqual(self.check("alloc", "alloc/a"), [True, "success"])
        self.assertTrue(waiting.alive())

    def test_stop_while_forwarding(self):
        waiting = self.call_silent_handler()
        time.sleep(0.3)
        self.assertIn("null", self.handlers())
        self.host.stop()
        waiting.process.wait(BOUND)
        self.host = self.bus.program(os.environ["DBUS_HOST"], os.environ["DBUS_HANDLERS"])
        self.addCleanup(self.host.kill)
        self.host.wait_output("this daemon owns")


class HostileTest(BusCase):
    def test_subtypes(self):
        for subtype in ("", "/", "a/b", "a.b", "a b", "1a", "ä", "..", "HandlerManager1", "Devices1", "x" * 300,
                        "%n%n"):
            good, reason = self.register(subtype)
            self.assertFalse(good, subtype)
            self.assertTrue(reason, subtype)
        self.assertFalse(self.register("foo", "d" * 5000)[0])

    def test_wrong_types(self):
        self.refused(ROOT, MANAGER, "GetManagedObjects", "s", "x")
        self.refused(f"{ROOT}/file", SERVICE, "CheckConfig", "u", "1")
        self.refused(f"{ROOT}/file", SERVICE, "CheckConfig", "ss", "a", "b")
        self.refused(f"{ROOT}/file", SERVICE, "CheckConfig")
        self.refused(f"{ROOT}/HandlerManager1", HANDLER_MANAGER, "RegisterHandler", "as", "1", "x")
        self.refused(f"{ROOT}/file", SERVICE, "NoMethod")
        self.refused(f"{ROOT}/file", HANDLER_MANAGER, "RegisterHandler", "ss", "a", "b")
        self.refused(f"{ROOT}/nothing", SERVICE, "CheckConfig", "s", "x")
        properties = "org.freedesktop.DBus.Properties"
        self.refused(f"{ROOT}/file", properties, "Set", "ssv", SERVICE, "ConfigDesc", "s", "mine")
        self.refused(f"{ROOT}/file", properties, "Get", "ss", SERVICE, "Nothing")
        self.refused(f"{ROOT}/Devices1", properties, "Get", "ss", SERVICE, "ConfigDesc")
        self.bus.call(f"{ROOT}/Devices1", properties, "GetAll", "s", SERVICE + ".Devices1")

    def test_huge_strings(self):
        huge = "x" * 100_000
        self.assertFalse(self.check("file", "file/" + huge)[0])
        self.assertFalse(self.register(huge)[0])
        self.assertFalse(self.register("foo", huge)[0])

    def test_callers_that_leave(self):
        for _ in range(20):
            self.bus.busctl("--expect-reply=no", "call", SERVICE, f"{ROOT}/file", SERVICE, "CheckConfig", "s",
                            "file/x")


def can_start_as_nobody(program):
    """Tells whether the user nobody can start the program. This is not possible if test.sh has unpacked the program in a
    folder that only root can enter, such as /root."""
    try:
        return subprocess.run([program, "--version"], user=NOBODY, capture_output=True, check=False).returncode == 0
    except PermissionError:
        return False


@unittest.skipUnless(os.geteuid() == 0, "needs root to become somebody else")
@unittest.skipUnless(can_start_as_nobody("busctl"), "the user nobody cannot start busctl")
class UserNobodyTest(BusCase):
    def test_policy(self):
        for args in ((ROOT, MANAGER, "GetManagedObjects"), (f"{ROOT}/file", SERVICE, "CheckConfig", "s", "file/x"),
                     (f"{ROOT}/file", "org.freedesktop.DBus.Properties", "GetAll", "s", SERVICE)):
            self.assertRegex(self.refused(*args, user=NOBODY), "(?i)access denied")

    def test_names(self):
        for name in SERVICE, HANDLER_MANAGER + ".foo":
            run = self.bus.busctl("call", "org.freedesktop.DBus", "/", "org.freedesktop.DBus", "RequestName", "su",
                                  name, "0", user=NOBODY)
            self.assertNotEqual(run.returncode, 0, name)


@unittest.skipUnless(os.geteuid() == 0, "needs root to become somebody else")
class OpenPolicyTest(BusCase):
    policy = OPEN_POLICY

    def test_the_daemon_refuses(self):
        for path, method, *args in ((ROOT, MANAGER + ".GetManagedObjects"),
                                    (f"{ROOT}/file", SERVICE + ".CheckConfig", "file/x"),
                                    (f"{ROOT}/HandlerManager1", HANDLER_MANAGER + ".RegisterHandler", "foo", "x"),
                                    (f"{ROOT}/Devices1", SERVICE + ".Devices1.List")):
            caller = self.bus.program("gdbus", "call", "--system", "--dest", SERVICE, "--object-path", path,
                                      "--method", method, *args, user=NOBODY)
            self.addCleanup(caller.kill)
            caller.wait_output("only root")


class BusRestartTest(BusCase):
    def test_bus_restart(self):
        """When the bus ends, the handlers of other daemons disappear. Those of this daemon are on the new bus again."""
        other = self.external("foo")
        self.bus.stop()
        self.host.wait_output("connection lost")
        other.kill()
        self.bus.start()
        wait_for("the name", self.bus.has_name)
        self.assertEqual(self.handlers(), {"alloc", "block", "file", "null"})

    def test_bus_that_hangs(self):
        """Neither open calls nor the messages at the end delay a stop."""
        self.call_silent_handler()
        time.sleep(0.3)
        self.bus.daemon.send_signal(signal.SIGSTOP)
        self.addCleanup(self.bus.daemon.send_signal, signal.SIGCONT)
        begin = time.monotonic()
        self.host.stop()
        self.assertLess(time.monotonic() - begin, 20)  # D-Bus itself gives up after 25 seconds.
        self.bus.daemon.send_signal(signal.SIGCONT)
        self.host = self.bus.program(os.environ["DBUS_HOST"], os.environ["DBUS_HANDLERS"])
        self.addCleanup(self.host.kill)
        self.host.wait_output("this daemon owns")

    def test_bus_that_hangs_and_takes_no_more(self):
        """The daemon has more to send than the bus takes, and ends without it."""
        caller = self.external("foo")
        self.host.process.send_signal(signal.SIGSTOP)
        caller.process.send_signal(signal.SIGUSR1)
        caller.wait_output("sent")
        self.bus.daemon.send_signal(signal.SIGSTOP)
        self.addCleanup(self.bus.daemon.send_signal, signal.SIGCONT)
        self.host.process.send_signal(signal.SIGCONT)
        time.sleep(1)  # The replies fill the socket.
        self.host.stop()
        self.bus.daemon.send_signal(signal.SIGCONT)
        self.host = self.bus.program(os.environ["DBUS_HOST"], os.environ["DBUS_HANDLERS"])
        self.addCleanup(self.host.kill)
        self.host.wait_output("this daemon owns")

    def test_bus_comes_late(self):
        self.bus.stop()
        late = self.bus.program(os.environ["DBUS_HOST"], os.environ["DBUS_HANDLERS"])
        self.addCleanup(late.kill)
        late.wait_output("there is no system bus")
        late.stop()
        self.bus.start()
        wait_for("the name", self.bus.has_name)

    def test_name_taken(self):
        """The second daemon waits until the first one gives up the name."""
        second = self.bus.program(os.environ["DBUS_HOST"], os.environ["DBUS_HANDLERS"])
        self.addCleanup(second.kill)
        second.wait_output("another process owns")
        self.host.stop()
        self.host = second
        wait_for("the name", self.bus.has_name)


if __name__ == "__main__":
    for program in "dbus-daemon", "busctl", "gdbus":
        if not shutil.which(program):
            print("SKIP: no", program)
            sys.exit(77)
    unittest.main()
