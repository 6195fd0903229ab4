# SPDX-License-Identifier: Apache-2.0
"""A system bus of the test's own, with Debian's rules and the policy file that is tested; the programs on it, which
must end cleanly and without a report from a sanitizer; and calls to them."""
import getpass
import json
import os
import signal
import shutil
import subprocess
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
SERVICE = "org.kernel.TCMUService1"
ROOT = "/org/kernel/TCMUService1"
REPORTS = ("AddressSanitizer", "LeakSanitizer", "ThreadSanitizer", "runtime error:", "CRITICAL", "WARNING **")
BOUND = 60  # In seconds. A wait ends as soon as its condition is true, so only a hang reaches this limit.


def wait_for(what, condition):
    deadline = time.monotonic() + BOUND
    while True:
        result = condition()
        if result:
            return result
        assert time.monotonic() < deadline, f"waited {BOUND} s for {what}"
        time.sleep(0.02)


class Program:
    """A program on the bus; its output goes to a file."""

    def __init__(self, bus, *command, **options):
        self.log = tempfile.TemporaryFile()
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log,
                                        env=bus.environment, **options)

    def output(self):
        self.log.seek(0)
        return self.log.read().decode(errors="replace")

    def wait_output(self, text):
        wait_for(f"{text!r}", lambda: text in self.output() or self.process.poll() is not None)
        assert text in self.output(), self.output()

    def alive(self):
        return self.process.poll() is None

    def kill(self):
        """Kills the program if it still runs, and collects its exit status."""
        self.process.kill()
        self.process.wait()
        self.log.close()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            status = self.process.wait(BOUND)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"does not stop: {self.output()}") from None
        assert status == 0, f"ended with {status}: {self.output()}"
        assert not any(report in self.output() for report in REPORTS), self.output()


class Bus:
    def __init__(self, policy=None):
        self.folder = tempfile.mkdtemp(prefix="tcmur-bus-")
        os.chmod(self.folder, 0o755)  # other users reach the socket through this folder
        self.environment = os.environ | {
            "DBUS_SYSTEM_BUS_ADDRESS": f"unix:path={self.folder}/socket", "G_DEBUG": "fatal-criticals"}
        self.configure(policy or self.shipped_policy())
        self.start()

    @staticmethod
    def shipped_policy():
        """The policy names root, but another user may run this test."""
        with open(os.environ["DBUS_POLICY"], encoding="utf-8") as policy:
            return policy.read().replace('user="root"', f'user="{getpass.getuser()}"')

    def configure(self, policy):
        with open(os.path.join(HERE, "bus.conf.in"), encoding="utf-8") as template:
            config = template.read()
        config = config.replace("@SOCKET@", f"{self.folder}/socket").replace("@POLICY@", f"{self.folder}/policy")
        for name, text in ("config", config), ("policy", policy):
            with open(f"{self.folder}/{name}", "w", encoding="utf-8") as out:
                out.write(text)

    def start(self):
        with open(f"{self.folder}/log", "ab") as log:
            self.daemon = subprocess.Popen(
                ["dbus-daemon", f"--config-file={self.folder}/config", "--nofork", "--nosyslog", "--nopidfile"],
                stdout=log, stderr=log)
        wait_for("the bus", lambda: os.path.exists(f"{self.folder}/socket"))

    def stop(self):
        self.daemon.terminate()
        self.daemon.wait()
        if os.path.exists(f"{self.folder}/socket"):
            os.unlink(f"{self.folder}/socket")

    def remove(self):
        self.stop()
        shutil.rmtree(self.folder)

    def program(self, *command, **options):
        return Program(self, *command, **options)

    def busctl(self, *args, **options):
        return subprocess.run(["busctl", "--system", "--json=short", f"--timeout={BOUND}", *args], env=self.environment,
                              capture_output=True, text=True, timeout=2 * BOUND, check=False, **options)

    def call(self, path, interface, method, signature="", *args, **options):
        """Calls a method and returns the values of the reply."""
        run = self.busctl("call", "--", SERVICE, path, interface, method,
                          *([signature, *args] if signature else []), **options)
        if run.returncode:
            raise CallFailed(run.stderr.strip())
        return json.loads(run.stdout)["data"] if run.stdout.strip() else []

    def has_name(self, name=SERVICE):
        run = self.busctl("call", "org.freedesktop.DBus", "/", "org.freedesktop.DBus", "NameHasOwner", "s", name)
        return run.returncode == 0 and json.loads(run.stdout)["data"][0]


class CallFailed(Exception):
    pass
