# SPDX-License-Identifier: Apache-2.0
"""Runs the commands of README.md and of docs/writing-a-handler.md, and those that run.sh prints, exactly as they
are written, in a fresh copy of the source. Commands that cannot run here (those of the kernel's initiator) are
named below. A block of commands that this test does not know is a failure, so that no document contains a command
that was never tried. The test changes the commands only where they name paths outside of the copy. It ends a daemon in the
foreground with Ctrl-C as soon as the daemon listens."""
import glob
import os
import pty
import re
import select
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import unittest

SOURCE = os.path.abspath(sys.argv.pop(1))
PORTAL = ("127.0.0.1", 3260)  # the default portal, which the documents use
BUILD_BOUND = 600  # in seconds

PRELUDE = r"""
listening() {
    for _ in $(seq 200); do
        (: </dev/tcp/127.0.0.1/3260) 2>/dev/null && return
        kill -0 "$1" || return
        sleep 0.1
    done
}
background() { "$@" & pid=$!; listening $pid; }
stop() { kill -INT $pid; wait $pid; }
foreground() { background "$@"; stop; }
"""


def listens():
    with socket.socket() as probe:
        return probe.connect_ex(PORTAL) == 0


def blocks(path):
    """The sh blocks of a Markdown file, as scripts without indentation. Each command is on its own line, because
    set -e ignores a failure before &&."""
    with open(os.path.join(SOURCE, path), encoding="utf-8") as text:
        found = re.findall(r"^( *)```sh\n(.*?)^ *```$", text.read(), re.M | re.S)
    return [re.sub(f"^{indent}", "", body, flags=re.M).replace("\\\n", " ").replace(" && ", "\n")
            for indent, body in found]


def script(block):
    """Returns the block as a script that ends. A daemon in the foreground is stopped. A daemon that is started with
    & is waited for, and stopped at the end."""
    lines = []
    for line in block.splitlines():
        if re.match(r"(\./run\.sh --|tcmu-runner) .*--export", line):
            line = f"background {line[:-1]}" if line.endswith("&") else f"foreground {line}"
        lines.append(line)
    if any(line.startswith("background") for line in lines):
        lines.append("stop")
    return "\n".join(["set -eu", PRELUDE, *lines])


class Terminal:
    """Runs a command on a terminal of its own, with a keyboard."""

    def __init__(self, folder, *command):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.chdir(folder)
            os.execvp(command[0], command)
        self.output = ""

    def read(self, seconds):
        """Reads what the command writes within this time. Returns False at the end of the output."""
        if select.select([self.fd], [], [], seconds)[0]:
            try:
                piece = os.read(self.fd, 65536)
            except OSError:  # EIO: the other side has closed the terminal
                return False
            self.output += piece.decode(errors="replace").replace("\r\n", "\n")
            return bool(piece)
        return True

    def wait_listening(self):
        deadline = time.monotonic() + BUILD_BOUND
        # A moment after the port is open, run.sh prints what it serves. The last of these lines says how to stop it.
        while not listens() or "Ctrl-C stops it" not in self.output:
            assert self.read(0.1) and time.monotonic() < deadline, self.output

    def control_c(self):
        """Presses Ctrl-C. Returns the exit status and what the command has written since then."""
        before = len(self.output)
        os.write(self.fd, b"\x03")
        deadline = time.monotonic() + 20
        while self.read(0.1):
            assert time.monotonic() < deadline, f"Ctrl-C does not stop it: {self.output}"
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1]), self.output[before:]


class Commands(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if listens():
            raise unittest.SkipTest("port 3260 is in use")
        if not os.path.isdir(os.path.join(SOURCE, ".git")) and not os.path.isfile(os.path.join(SOURCE, ".git")):
            raise unittest.SkipTest("not a checkout")
        folder = tempfile.TemporaryDirectory(prefix="tcmur-docs-")
        cls.addClassCleanup(folder.cleanup)
        cls.work, cls.copy = folder.name, os.path.join(folder.name, "tcmu-runner")
        names = subprocess.run(["git", "-C", SOURCE, "ls-files", "-z"], capture_output=True, check=True).stdout
        for name in filter(None, names.decode().split("\0")):
            target = os.path.join(cls.copy, name)
            os.makedirs(os.path.dirname(target), exist_ok=True)
            shutil.copy2(os.path.join(SOURCE, name), target, follow_symlinks=False)
        with open(os.path.join(cls.copy, "some.img"), "wb") as image:
            image.write(os.urandom(8 << 20))
        root = os.path.join(cls.work, "root")
        cls.prefix = os.path.join(root, "usr/local")
        cls.environment = os.environ | {
            "DESTDIR": root, "CMAKE_PREFIX_PATH": cls.prefix,
            "PATH": f"{cls.prefix}/bin:{cls.copy}/build/run/runner:{os.environ['PATH']}"}
        cls.done = set()

    def bash(self, text, folder=None, **environment):
        text = text.replace("/srv/", f"{self.work}/").replace("cp -r /usr/", f"cp -r {self.prefix}/")
        run = subprocess.run(["bash", "-c", text], cwd=folder or self.copy, env=self.environment | environment,
                             stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                             timeout=BUILD_BOUND, check=False)
        self.assertEqual(run.returncode, 0, f"{text}\n{run.stdout}")
        return run.stdout

    def block(self, path, start):
        """Returns the block that starts with this text. Each block is requested once, either by the test that runs
        it or by the one that says why it is not run."""
        found = [block for block in blocks(path) if block.startswith(start)]
        self.assertEqual(len(found), 1, f"{path}: {start}")
        self.done.add((path, found[0]))
        return found[0]

    def test_1_two_commands(self):
        """Runs run.sh on a terminal, the commands that it prints and those of the README, and presses Ctrl-C."""
        two = self.block("README.md", "./run.sh ")
        # The second command is the one that runs this test.
        self.assertRegex(two, r"^\./run\.sh .*\n\./test\.sh .*\n$")
        terminal = Terminal(self.copy, "./run.sh")
        terminal.wait_listening()
        printed = re.findall(r"^  ([a-z-]+ .*)$", terminal.output, re.M)
        printed = [line for line in printed if shutil.which(line.split()[0])]
        self.assertGreaterEqual(len([line for line in printed if self.can_run(line)]), 3, terminal.output)
        for line in filter(self.can_run, printed):
            self.bash(line)
        tcmuctl, = re.findall(r"^  (/.*/tcmuctl status)$", terminal.output, re.M)
        # Without this line, another daemon uses the run folder, and tcmuctl finds that daemon.
        if "control: listening at" in terminal.output:
            self.assertIn("user_0/demo.img", self.bash(tcmuctl))
        self.bash(self.block("README.md", "iscsi-ls"))
        status, last = terminal.control_c()
        self.assertEqual(status, 0, last)
        self.assertEqual(last.count("^C"), 1, last)
        self.assertFalse(listens())
        self.assertTrue(os.path.exists(os.path.join(self.copy, "build/state/demo.img")))

    @staticmethod
    def can_run(line):
        return line.split()[0] in ("iscsi-ls", "iscsi-inq", "qemu-img")

    def test_2_kernel_initiator(self):
        """tests/kernel/open_iscsi_guest.sh runs these commands in a guest."""
        self.assertIn("--login", self.block("README.md", "iscsiadm"))

    def test_3_own(self):
        self.bash(script(self.block("README.md", "head -c 12")))
        self.assertEqual(os.stat(os.path.join(self.work, "disk.img")).st_size, 100 << 30)

    def test_4_install(self):
        self.bash(self.block("README.md", "cmake -B build"))
        self.assertIn("name=alloc", self.installed_handlers())

    def installed_handlers(self):
        """Returns the handlers of the installed daemon, which looks for them below / and not below DESTDIR."""
        folder, = glob.glob(f"{self.prefix}/lib/**/tcmu-runner/handler_alloc.so", recursive=True)
        return self.bash(f"tcmu-runner --handler-path {os.path.dirname(folder)} --dump-handlers")

    def test_5_handler(self):
        """Builds the template in both ways in the place to which it was copied, and serves it."""
        path = "docs/writing-a-handler.md"
        self.bash(script(self.block(path, "cp -r /usr/")), self.work, DESTDIR="")
        folder = os.path.join(self.work, "mydisk")
        config, = glob.glob(f"{self.prefix}/**/tcmu-runner.pc", recursive=True)
        compile_with = "cc -shared -fPIC -fvisibility=hidden $(pkg-config --cflags tcmu-runner) "
        self.bash(self.block(path, compile_with + "template.c"), folder, PKG_CONFIG_PATH=os.path.dirname(config))
        self.assertIn("name=template", self.installed_handlers())
        self.bash(self.block(path, compile_with + "filter.c"), folder, PKG_CONFIG_PATH=os.path.dirname(config))
        self.bash(script(self.block(path, "tcmu-runner --handler-path build --dump-handlers template")), folder)
        shutil.copy(os.path.join(self.copy, "some.img"), folder)
        # tests/conformance runs all tests of this program one by one.
        test = self.block(path, "iqn=iqn.").replace("--dataloss", "--dataloss --test=SCSI.Read10")
        self.bash(script(test), folder)

    def test_9_nothing_left(self):
        for path in ("README.md", "docs/writing-a-handler.md"):
            for block in blocks(path):
                self.assertIn((path, block), self.done)


if __name__ == "__main__":
    result = unittest.main(failfast=True, exit=False).result
    if result.skipped and not result.testsRun:
        print(f"SKIP: {result.skipped[0][1]}")
        sys.exit(77)
    sys.exit(not result.wasSuccessful())
