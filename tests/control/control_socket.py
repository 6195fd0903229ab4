# SPDX-License-Identifier: Apache-2.0
"""A client of the control socket for tests: JSON-RPC 2.0, one message on a line. It can also send what a client
must not send."""
import json
import socket

TIMEOUT = 120  # In seconds. The limit is so large that only a hang reaches it, and not a slow machine.


class Refused(Exception):
    """The error that the daemon returned: code, errno (its name, or None), the text, and the whole error."""

    def __init__(self, error):
        super().__init__(error["message"])
        self.error = error
        self.code = error["code"]
        self.errno = error.get("data", {}).get("errno")
        self.no_object = error.get("data", {}).get("no_object", False)


class Control:
    """A connection, used as: with Control(path) as control: control.call("create", path="disk") …"""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(TIMEOUT)
        self.socket.connect(path)
        self.bytes = b""
        self.last_id = 0
        self.events = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def send_raw(self, data):
        self.socket.sendall(data)

    def read_line(self):
        """Returns the next line without its newline, or None at the end of the connection."""
        while b"\n" not in self.bytes:
            try:
                piece = self.socket.recv(1 << 16)
            except ConnectionResetError:
                piece = b""
            if not piece:
                return None
            self.bytes += piece
        line, self.bytes = self.bytes.split(b"\n", 1)
        return line

    def read(self):
        """Returns the next message, which must be well-formed, or None at the end."""
        line = self.read_line()
        if line is None:
            return None
        message = json.loads(line)
        assert message["jsonrpc"] == "2.0", message
        assert ("result" in message) + ("error" in message) + ("method" in message) == 1, message
        return message

    def send(self, method, **params):
        self.last_id += 1
        message = {"jsonrpc": "2.0", "id": self.last_id, "method": method, "params": params}
        self.send_raw(json.dumps(message).encode() + b"\n")
        return self.last_id

    def answer(self, wanted):
        """Returns the result of the call with this ID. Notifications that arrive before it are kept."""
        while True:
            message = self.read()
            assert message is not None, "the connection has ended"
            if "method" in message:
                self.events.append(message["params"])
                continue
            assert message["id"] == wanted, message
            if "error" in message:
                raise Refused(message["error"])
            return message["result"]

    def call(self, method, **params):
        return self.answer(self.send(method, **params))

    def event(self):
        """Returns the next notification."""
        if self.events:
            return self.events.pop(0)
        message = self.read()
        assert message is not None and message["method"] == "event", message
        return message["params"]
