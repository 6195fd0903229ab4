# SPDX-License-Identifier: Apache-2.0
"""Starts the daemon that is tested (TCMU_RUNNER), and checks that it ends cleanly: with exit status 0, within a time
limit, and without a report from a sanitizer."""
import hashlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time

import cdb
import initiator
from initiator import PATIENCE

PROGRAM = os.environ.get("TCMU_RUNNER", "tcmu-runner")
HANDLERS = os.environ.get("TCMU_RUNNER_HANDLERS")
OPTIONS = os.environ.get("TCMU_RUNNER_OPTIONS", "").split()  # Options for every daemon of this run.


def machine_id():
    """The ID of this machine, or the one that each daemon gets in its state folder."""
    try:
        with open("/etc/machine-id", encoding="ascii") as file:
            text = file.read().strip()
    except OSError:
        text = ""
    return text if len(text) == 32 else None


OWN_MACHINE_ID = "0123456789abcdef0123456789abcdef"
HOST = hashlib.sha256(f"tcmu-runner machine\0{machine_id() or OWN_MACHINE_ID}\0".encode()).hexdigest()[:12]
IQN = f"iqn.2026-11.io.tcmu-runner:{HOST}:"  # The beginning of a target's default name.
REPORTS = ("AddressSanitizer", "LeakSanitizer", "ThreadSanitizer", "runtime error:", "Assertion")


def give_machine_id(folder):
    """Puts an ID into a state folder, unless it has one."""
    os.makedirs(folder, 0o700, exist_ok=True)
    if not os.path.exists(os.path.join(folder, "machine-id")):
        with open(os.path.join(folder, "machine-id"), "w", encoding="ascii") as file:
            file.write(OWN_MACHINE_ID)


def free_port(host="127.0.0.1"):
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.bind((host, 0))
        return probe.getsockname()[1]


def command_line(*args):
    own = HANDLERS and "--handler-path" not in args
    return [PROGRAM, *(["--handler-path", HANDLERS] if own else []), *OPTIONS, *args]


def wait_until(condition, explain=lambda: "no success"):
    """Waits until condition() is true. If that does not happen, fails with the text of explain()."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, explain()
        time.sleep(0.02)


def lun_numbers(session):
    """The LUNs of the session, as REPORT LUNS has them."""
    data = session.good(cdb.report_luns(), length=256)
    return [int.from_bytes(data[at:at + 2], "big") for at in range(8, 8 + int.from_bytes(data[:4], "big"), 8)]


def wait_until_ready(session, lun):
    """Waits until all unit attentions have been reported."""
    wait_until(lambda: session.execute(cdb.TEST_UNIT_READY, lun=lun).status == 0)


def run(*args, timeout=PATIENCE):
    """Runs the daemon with a command line with which it ends by itself."""
    with tempfile.TemporaryDirectory(prefix="tcmur-") as state:
        where = [] if "--state-dir" in args else ["--state-dir", os.path.join(state, "state")]
        if "--run-dir" not in args:
            where += ["--run-dir", os.path.join(state, "run")]
        return subprocess.run(command_line(*where, *args), stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=timeout, check=False)


class Daemon:
    """A running daemon: with Daemon("--export", "alloc/a,size=16M,name=a") as daemon: … daemon.session("a") …"""

    def __init__(self, *args, host="127.0.0.1", port=None, portal=True, env=None, wrapper=(),
                 pass_fds=(), run_dir=True):
        self.address = (host, port or free_port(host))
        self.state = tempfile.mkdtemp(prefix="tcmur-")
        self.log = open(os.path.join(self.state, "log"), "w+b")
        literal = f"[{host}]" if ":" in host else host
        where = ["--portal", f"{literal}:{self.address[1]}"] if portal else []
        if "--state-dir" in args:
            folder = args[args.index("--state-dir") + 1]
        else:
            folder = os.path.join(self.state, "state")
            where += ["--state-dir", folder]
        if not machine_id():
            give_machine_id(folder)
        if run_dir and "--run-dir" not in args:
            where += ["--run-dir", os.path.join(self.state, "run")]
        self.socket = os.path.join(self.state, "run", "control")
        self.process = subprocess.Popen([*wrapper, *command_line(*where, *args)], stdin=subprocess.DEVNULL,
                                        stdout=self.log, stderr=self.log, env=os.environ | (env or {}),
                                        pass_fds=pass_fds)
        try:
            self.wait_ready()
        except BaseException:
            self.kill()
            raise

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if kind is None:
            self.stop()
        else:
            print(self.output())
            self.kill()

    def output(self):
        self.log.flush()
        with open(self.log.name, "rb") as log:
            return log.read().decode(errors="replace")

    def wait_ready(self):
        deadline = time.monotonic() + PATIENCE
        while True:
            if self.process.poll() is not None:
                raise AssertionError(f"daemon ended with {self.process.returncode}: {self.output()}")
            try:
                socket.create_connection(self.address, PATIENCE).close()
                return
            except OSError:
                assert time.monotonic() < deadline, "daemon does not listen"
                time.sleep(0.02)

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.cleanup()

    def cleanup(self):
        self.log.close()
        shutil.rmtree(self.state, ignore_errors=True)

    def stop(self, number=signal.SIGTERM):
        """Ends the daemon and returns how many seconds that took."""
        begin = time.monotonic()
        self.process.send_signal(number)
        try:
            status = self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"daemon does not stop within {PATIENCE} s: {self.output()}") from None
        took, output = time.monotonic() - begin, self.output()
        self.cleanup()
        assert status == 0, f"daemon ended with {status}: {output}"
        assert not any(report in output for report in REPORTS), output
        return took

    def alive(self):
        return self.process.poll() is None

    def session(self, target, **options):
        return initiator.Session(self.address, IQN + target, **options)

    def discovery(self, **options):
        return initiator.Session(self.address, None, **options)
