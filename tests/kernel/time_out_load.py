# SPDX-License-Identifier: Apache-2.0
"""time_out_load.py BEGIN END NAME=DISK...: writes and reads blocks of each DISK while an outage begins and ends.
The files BEGIN and END contain the times at which the outage begins and ends. Prints for each disk how many I/Os failed, how many seconds after
the beginning the first I/O failed, and how many seconds after the end the disk completed its first I/O. Gives up
300 seconds after the end."""
import mmap
import os
import sys
import threading
import time

BLOCK = 4096
GIVE_UP = 300
QUIET = 10  # A disk counts as recovered after this many seconds without an error after the end of the outage.


class Load(threading.Thread):
    def __init__(self, disk, writes, block):
        super().__init__(daemon=True)
        self.disk, self.writes, self.offset = disk, writes, block * BLOCK
        self.buffer = mmap.mmap(-1, BLOCK)
        self.errors, self.first_error, self.last_error = 0, None, 0.0
        # The times of the last successful I/O, and of the first successful I/O after the last gap or error.
        self.done = self.recovered_at = 0.0

    def transfer(self):
        fd = os.open(self.disk, os.O_RDWR | os.O_DIRECT)
        try:
            if self.writes:
                os.pwritev(fd, [self.buffer], self.offset)
            else:
                os.preadv(fd, [self.buffer], self.offset)
        finally:
            os.close(fd)

    def run(self):
        while True:
            try:
                self.transfer()
                now = time.time()
                if now - self.done > 1 or self.last_error > self.done:
                    self.recovered_at = now
                self.done = now
            except OSError:
                self.errors += 1
                self.last_error = time.time()
                self.first_error = self.first_error or self.last_error
            time.sleep(0.1)


def wait_time(path):
    while not os.path.exists(path):
        time.sleep(0.1)
    with open(path, encoding="ascii") as file:
        return float(file.read())


def recovered(load, end):
    """Tells whether the disk has completed an I/O after the end of the outage, and no later I/O has failed."""
    return load.done > max(end, load.last_error)


def report(name, group, begin, end):
    errors = [load.first_error for load in group if load.first_error]
    first = f"first after {min(errors) - begin:5.1f} s" if errors else "none"
    back = max(load.recovered_at for load in group) - end
    state = f"back {back:5.1f} s" if all(recovered(load, end) for load in group) else "not back"
    print(f"{name:10} errors {sum(load.errors for load in group):4} {first:20} {state}")


def main():
    begin_path, end_path, *disks = sys.argv[1:]
    loads = {}
    for pair in disks:
        name, disk = pair.split("=")
        loads[name] = [Load(disk, writes, block) for block, writes in enumerate((True, True, False))]
    everything = [load for group in loads.values() for load in group]
    for load in everything:
        load.start()
    begin, end = wait_time(begin_path), wait_time(end_path)
    quiet_since = None
    while time.time() < end + GIVE_UP and not (quiet_since and time.time() > quiet_since + QUIET):
        if not all(recovered(load, end) for load in everything):
            quiet_since = None
        elif not quiet_since:
            quiet_since = time.time()
        time.sleep(0.2)
    for name, group in sorted(loads.items()):
        report(name, group, begin, end)
    sys.stdout.flush()
    os._exit(0)  # Threads that wait for a disk cannot be ended in another way.


if __name__ == "__main__":
    main()
