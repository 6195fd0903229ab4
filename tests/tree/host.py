# SPDX-License-Identifier: Apache-2.0
"""Starts a process that mounts a tree, and checks that it ends cleanly: with exit status 0, without a report from a
sanitizer, and without leaving a mount."""
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

HOST = os.environ.get("TREE_HOST", "tree_host")
DAEMON = os.environ.get("TCMU_RUNNER", "tcmu-runner")
HANDLERS = os.environ.get("TCMU_RUNNER_HANDLERS", "")
REPORTS = ("AddressSanitizer", "LeakSanitizer", "ThreadSanitizer", "runtime error:", "Assertion", "contract")
BOUND = 120  # The time limit in seconds. It allows for a program with sanitizers on a busy machine.


def skip(reason):
    print(f"SKIP: {reason}")
    sys.exit(77)


def require_fuse():
    if not os.access("/dev/fuse", os.R_OK | os.W_OK):
        skip("/dev/fuse does not exist, or this user may not open it")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def free_port_of_both_families():
    """A port that the system does not choose for connections, so that no other test takes it meanwhile."""
    while True:
        port = random.randrange(20000, 32000)
        try:
            socket.create_server(("", port), family=socket.AF_INET6, dualstack_ipv6=True).close()
            return port
        except OSError:
            pass


class Tree:
    """A process that mounts a tree at self.folder."""

    def __init__(self, folder):
        self.scratch = tempfile.mkdtemp(prefix="tree-")
        os.chmod(self.scratch, 0o755)
        self.folder = folder or os.path.join(self.scratch, "tree")
        self.log = open(os.path.join(self.scratch, "log"), "w+b")
        self.process = None

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if kind is None:
            self.stop()
        else:
            print(self.output())
            self.remove()

    def remove(self):
        """Ends the process, and removes what it has left."""
        self.kill()
        subprocess.run(["fusermount3", "-u", "-z", "-q", self.folder], check=False)
        self.cleanup()

    def output(self):
        self.log.flush()
        with open(self.log.name, "rb") as log:
            return log.read().decode(errors="replace")

    def path(self, *parts):
        return os.path.join(self.folder, *parts)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def cleanup(self):
        self.log.close()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe:
                pipe.close()
        shutil.rmtree(self.scratch, ignore_errors=True)

    def ask_to_end(self):
        raise NotImplementedError

    def stop(self):
        self.ask_to_end()
        status = self.process.wait(BOUND)
        output = self.output()
        with open("/proc/self/mountinfo", encoding="utf-8") as mounts:
            assert f" {self.folder} " not in mounts.read(), "the tree is still mounted"
        self.cleanup()
        assert status == 0, f"ended with {status}: {output}"
        assert not any(report in output for report in REPORTS), output

    # --- files of the tree

    def read(self, path):
        with open(self.path(path), encoding="utf-8") as file:
            return file.read()

    def write(self, path, text):
        """Writes a file as echo or printf of a shell does: with one open() and one write()."""
        fd = os.open(self.path(path), os.O_WRONLY | os.O_TRUNC)
        try:
            data = text if isinstance(text, bytes) else text.encode()
            assert os.write(fd, data) == len(data)
        finally:
            os.close(fd)

    def reason(self):
        return self.read("last_error").strip()


class Daemon(Tree):
    """A daemon that runs with --tree."""

    def __init__(self, *args, folder=None, wrapper=(), handlers=HANDLERS, **options):
        super().__init__(folder)
        self.state = os.path.join(self.scratch, "state")
        command = [*wrapper, DAEMON, "--handler-path", handlers, "--state-dir", self.state, "--run-dir",
                   os.path.join(self.scratch, "run"), "--tree", folder or self.folder, *args]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log, **options)
        end = time.monotonic() + BOUND
        while "the tree is mounted at" not in self.output():
            if self.process.poll() is not None or time.monotonic() > end:
                reason = self.output()
                self.kill()
                self.cleanup()
                raise AssertionError(f"the tree does not start: {reason}")
            time.sleep(0.02)

    def ask_to_end(self):
        self.process.send_signal(signal.SIGTERM)


class Host(Tree):
    """The program tree_host: with Host() as host: ... os.mkdir(host.path("core/user_0")) ..."""

    def __init__(self, folder=None, wrapper=()):
        super().__init__(folder)
        self.process = subprocess.Popen([*wrapper, HOST, self.folder], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=self.log)
        line = self.process.stdout.readline()
        if line != b"ready\n":
            self.process.wait()
            reason = self.output()
            self.cleanup()
            raise AssertionError(f"the tree does not start: {line} {reason}")

    def command(self, *words):
        """Sends a command to tree_host and returns its answer."""
        self.process.stdin.write(" ".join(words).encode() + b"\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().decode().strip()

    def ask_to_end(self):
        self.process.stdin.close()


def in_background(function, *args):
    """Starts a thread. Returns a function that waits for it and returns its result, or raises its error."""
    outcome = []

    def run():
        try:
            outcome.append((function(*args), None))
        except BaseException as error:  # pylint: disable=broad-exception-caught
            outcome.append((None, error))

    thread = threading.Thread(target=run, daemon=True)
    thread.start()

    def join(timeout=BOUND):
        thread.join(timeout)
        assert outcome, f"{function.__name__} does not return"
        if outcome[0][1]:
            raise outcome[0][1]
        return outcome[0][0]

    join.is_running = thread.is_alive
    return join
