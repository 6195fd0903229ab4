#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""tutorial.py DOCUMENT: runs the shell sessions of a document, and compares their output.

A block that is fenced as "sh" is run and must succeed. In a block that is fenced as "console", a line "# COMMAND"
is run, must succeed, and must print the lines after it. There "…" stands for any text, or on a line of its own for
any lines; rows of dots, with which targetcli fills a line, are one "…". ./run.sh is started in the background.
Names that differ between machines (the target's, and the letters of the disks) are learned from the first output
that shows them, and then used for the rest of the document."""
import glob
import os
import re
import signal
import subprocess
import sys
import time

PATIENCE = 60 * int(os.environ.get("GUEST_FACTOR", "1"))  # In seconds. A wait that takes longer counts as a hang.


def blocks(text):
    """Returns (kind, lines) of each fenced block."""
    for match in re.finditer(r"^```(sh|console)\n(.*?)^```$", text, re.M | re.S):
        yield match.group(1), match.group(2).splitlines()


def sessions(lines):
    """Returns (command, expected lines) for each command of a console block."""
    found = []
    for line in lines:
        if line.startswith("# "):
            found.append((line[2:], []))
        else:
            found[-1][1].append(line)
    return found


def line_pattern(line):
    return "".join(".*" if part == "…" else re.escape(part) for part in re.split("(…)", line)) + "\n"


def pattern(lines):
    return "".join("(?:.*\n)*?" if line == "…" else line_pattern(line) for line in lines)


class Names:
    """Names that the document and this machine spell differently."""

    def __init__(self, text):
        self.target = re.search(r"iqn\.2026-11\.com\.test:target-[-0-9]+", text).group()
        self.known = {}

    def learn(self, output):
        for name in re.findall(r"Target (iqn\S+) created", output):
            self.known[self.target] = name

    def learn_disks(self):
        for _ in range(10 * PATIENCE):  # the kernel scans for disks after the login has returned
            disks = {int(path.split(":")[-1].split("/")[0]): os.path.basename(path)
                     for path in glob.glob("/sys/class/iscsi_session/session*/device/target*/*:*/block/*")}
            if len(disks) == 2:
                break
            time.sleep(0.1)
        self.known["/dev/sdb"], self.known["/dev/sdc"] = (f"/dev/{disks[lun]}" for lun in (0, 1))

    def of_here(self, text):
        return re.sub("|".join(map(re.escape, self.known)), lambda m: self.known[m.group()], text) if self.known else text


class DocumentRunner:
    def __init__(self, text):
        self.names = Names(text)
        self.shell = subprocess.Popen(["bash"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=None, text=True)
        self.daemon = None
        self.count = 0

    def run_in_shell(self, command):
        """Runs the command, which must succeed, and returns its output."""
        print("#", command, flush=True)
        end = "end of command"
        self.shell.stdin.write(f"{command}\necho '{end}' $?\n")
        self.shell.stdin.flush()
        output = ""
        while not (found := re.search(rf"^{end} (\d+)\n\Z", output, re.M)):
            line = self.shell.stdout.readline()
            if not line:
                sys.exit(f"FAILED: the shell has ended: {command}")
            output += line
        output = output[:found.start()]
        print(output, end="", flush=True)
        if found.group(1) != "0":
            sys.exit(f"FAILED: {command} returned {found.group(1)}")
        self.count += 1
        return output

    def compare(self, command, expected, output):
        seen = re.sub(r"[ ]+$", "", re.sub(r" \.{2,} ", " … ", output), flags=re.M)
        expected = [self.names.of_here(line) for line in expected]
        if not re.fullmatch(pattern(expected), seen):
            sys.exit("\n".join([f"FAILED: {command}: the document says", *expected]))

    def start(self, command, expected):
        print("#", command, flush=True)
        with open("/tmp/daemon.log", "w", encoding="utf-8") as log:
            self.daemon = subprocess.Popen("exec " + command, shell=True, stdout=log, stderr=log, start_new_session=True)
        deadline = time.monotonic() + PATIENCE
        while True:
            with open("/tmp/daemon.log", encoding="utf-8") as log:
                output = log.read()
            if "serving the kernel's devices" in output and re.fullmatch(pattern(expected), output):
                print(output, end="", flush=True)
                return
            if self.daemon.poll() is not None or time.monotonic() > deadline:
                sys.exit(f"FAILED: {command} shows\n{output}")
            time.sleep(0.1)

    def run(self, command, expected):
        if command.startswith("./run.sh"):
            self.start(command, expected)
            return
        output = self.run_in_shell(self.names.of_here(command))
        self.names.learn(output)
        if "--login" in command:
            self.names.learn_disks()
        self.compare(command, expected, output)

    def stop(self):
        """Ends run.sh as Ctrl-C does."""
        os.killpg(self.daemon.pid, signal.SIGINT)
        if self.daemon.wait(PATIENCE):
            sys.exit(f"FAILED: the daemon returned {self.daemon.returncode}")


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        text = file.read()
    runner = DocumentRunner(text)
    try:
        for kind, lines in blocks(text):
            if kind == "sh":
                runner.run_in_shell("\n".join(lines))
                continue
            for command, expected in sessions(lines):
                runner.run(command, expected)
        runner.stop()
    except BaseException:
        if os.path.exists("/tmp/daemon.log"):
            subprocess.run(["tail", "-n", "30", "/tmp/daemon.log"], check=False)
        raise
    print(f"{runner.count} commands did what the document says")


main()
