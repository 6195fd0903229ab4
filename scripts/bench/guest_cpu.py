# SPDX-License-Identifier: Apache-2.0
"""guest_cpu.py DIR COMMAND...: runs COMMAND, which starts a guest, and tells that guest in DIR how much CPU time the
whole of it has taken here. On a busy machine that says more than the clock: a guest with one CPU that never idles
does as many commands a second as fit into its CPU time. The time is the name of a file, since hostfs keeps contents."""
import os
import subprocess
import sys
import time


def family(pid):
    """pid and what descends from it."""
    yield pid
    try:
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
            children = file.read().split()
    except OSError:  # has just ended
        return
    for child in children:
        yield from family(int(child))


def ticks(pid):
    """CPU time of a process, and of those of its children that have ended."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as file:
            return sum(map(int, file.read().rsplit(")", 1)[1].split()[11:15]))
    except OSError:
        return 0


def main():
    folder, command = sys.argv[1], sys.argv[2:]
    name = f"{folder}/0"
    with open(name, "wb"), subprocess.Popen(command) as child:
        while child.poll() is None:
            milliseconds = sum(map(ticks, family(child.pid))) * 1000 // os.sysconf("SC_CLK_TCK")
            renamed = f"{folder}/{milliseconds}"
            os.rename(name, renamed)
            name = renamed
            time.sleep(0.01)
        return child.returncode


if __name__ == "__main__":
    sys.exit(main())
