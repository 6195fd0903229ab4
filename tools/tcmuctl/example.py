#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Uses the control socket without tcmuctl: creates a disk in memory, shows it to one initiator, and prints what
happens.

    example.py SOCKET TARGET INITIATOR

The protocol is JSON-RPC 2.0 with one message in each line; docs/control-socket.md lists the methods."""
import json
import socket
import sys


class Control:
    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(path)
        self.lines = self.socket.makefile("r", encoding="utf-8")
        self.last_id = 0

    def call(self, method, **params):
        """Calls a method, and returns its result. An error of the daemon becomes an exception."""
        self.last_id += 1
        request = {"jsonrpc": "2.0", "id": self.last_id, "method": method, "params": params}
        self.socket.sendall(json.dumps(request).encode() + b"\n")
        while True:
            answer = json.loads(self.lines.readline())
            if "method" in answer:  # an event, because this connection has subscribed
                print("event:", answer["params"]["event"], answer["params"]["path"])
            elif "error" in answer:
                raise SystemExit(f"{method}: {answer['error']['message']}")
            else:
                return answer["result"]


def main(path, target, initiator):
    control = Control(path)
    print("tcmu-runner", control.call("status")["version"])
    control.call("subscribe")
    control.call("create", path="example", enable=True,
                 attributes={"control/config": "alloc/example", "control/size": 64 << 20})
    control.call("create", path=target)
    control.call("create", path=f"{target}/tpgt_1", enable=True)
    lun = control.call("map", path=target, storage="example", initiator=initiator)
    print(f"{initiator} sees the disk as LUN {lun['lun']}")


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    main(*sys.argv[1:])
