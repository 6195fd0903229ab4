# SPDX-License-Identifier: Apache-2.0
"""Starts what mounts a tree, and sees that it ends well: exit status 0, no word from a sanitizer, and no mount left."""
import os
import shutil
import subprocess
import sys
import tempfile
import threading

HOST = os.environ.get("TREE_HOST", "tree_host")
REPORTS = ("AddressSanitizer", "LeakSanitizer", "ThreadSanitizer", "runtime error:", "Assertion", "contract")
BOUND = 120  # seconds: sanitized, on a busy machine


def skip(reason):
    print(f"SKIP: {reason}")
    sys.exit(77)


def require_fuse():
    if not os.access("/dev/fuse", os.R_OK | os.W_OK):
        skip("/dev/fuse does not exist, or this user may not open it")


class Host:
    """with Host() as host: ... os.mkdir(host.path("core/user_0")) ..."""

    def __init__(self, folder=None, wrapper=()):
        self.scratch = tempfile.mkdtemp(prefix="tree-")
        os.chmod(self.scratch, 0o755)
        self.folder = folder or os.path.join(self.scratch, "tree")
        self.log = open(os.path.join(self.scratch, "log"), "w+b")
        self.process = subprocess.Popen([*wrapper, HOST, self.folder], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=self.log)
        line = self.process.stdout.readline()
        if line != b"ready\n":
            self.process.wait()
            reason = self.output()
            self.cleanup()
            raise AssertionError(f"the tree does not start: {line} {reason}")

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if kind is None:
            self.stop()
        else:
            print(self.output())
            self.kill()
            subprocess.run(["fusermount3", "-u", "-z", "-q", self.folder], check=False)
            self.cleanup()

    def output(self):
        self.log.flush()
        with open(self.log.name, "rb") as log:
            return log.read().decode(errors="replace")

    def command(self, *words):
        """A command of tree_host; returns its answer."""
        self.process.stdin.write(" ".join(words).encode() + b"\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().decode().strip()

    def path(self, *parts):
        return os.path.join(self.folder, *parts)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def cleanup(self):
        self.log.close()
        self.process.stdin.close()
        self.process.stdout.close()
        shutil.rmtree(self.scratch, ignore_errors=True)

    def stop(self):
        self.process.stdin.close()
        status = self.process.wait(BOUND)
        output = self.output()
        with open("/proc/self/mountinfo", encoding="utf-8") as mounts:
            assert f" {self.folder} " not in mounts.read(), "the tree is still mounted"
        self.cleanup()
        assert status == 0, f"ended with {status}: {output}"
        assert not any(report in output for report in REPORTS), output

    # --- what tests do with files

    def read(self, path):
        with open(self.path(path), encoding="utf-8") as file:
            return file.read()

    def write(self, path, text):
        """As a shell's echo or printf does it: one open, one write."""
        fd = os.open(self.path(path), os.O_WRONLY | os.O_TRUNC)
        try:
            data = text if isinstance(text, bytes) else text.encode()
            assert os.write(fd, data) == len(data)
        finally:
            os.close(fd)

    def reason(self):
        return self.read("last_error").strip()


def in_background(function, *args):
    """Starts a thread; returns a function that waits for it and returns its result, or raises its error."""
    box = []

    def run():
        try:
            box.append((function(*args), None))
        except BaseException as error:  # pylint: disable=broad-exception-caught
            box.append((None, error))

    thread = threading.Thread(target=run, daemon=True)
    thread.start()

    def join(timeout=BOUND):
        thread.join(timeout)
        assert box, "it does not end"
        if box[0][1]:
            raise box[0][1]
        return box[0][0]

    join.is_running = thread.is_alive
    return join
