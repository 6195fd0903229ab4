# SPDX-License-Identifier: Apache-2.0
"""Tests messages that no client should send, clients that do not read, and too many clients."""
import json
import random
import select

from control_case import ControlCase, main
from control_socket import Control

MESSAGE_MAX = 1 << 20
CLIENTS_MAX = 64
PARSE_ERROR, INVALID_REQUEST, NO_METHOD, INVALID_PARAMS = -32700, -32600, -32601, -32602


class Messages(ControlCase):
    def tearDown(self):
        """Checks that the daemon still answers on the connection of the test."""
        self.assertEqual(self.call("status")["pid"], self.daemon.process.pid)

    def error_code(self, line):
        """Returns the error code of the answer to one line."""
        control = self.connect()
        control.send_raw((line if isinstance(line, bytes) else line.encode()) + b"\n")
        message = control.read()
        self.assertIn("error", message, line)
        self.assertNotIn("\n", message["error"]["message"])
        # The connection still works.
        self.assertIn("version", control.call("status"))
        return message["error"]["code"]

    def test_not_json(self):
        for line in ("", " ", "{", "}", "[" * 17, '{"a":' * 17, "nonsense", "'a'", "var a = {}", "/* a */ {}",
                     '{"a": 1,, }', b"\xff\xfe", b'{"a": "\x80"}', "\0", '{"jsonrpc": "2.0"'):
            with self.subTest(line=line):
                self.assertEqual(self.error_code(line), PARSE_ERROR)

    def test_nul(self):
        line = '{"jsonrpc":"2.0","id":1,"method":"list","params":{"path":"user_0/a\\u0000b"}}'
        self.assertEqual(self.error_code(line), PARSE_ERROR)

    def test_deep(self):
        """Parsers are recursive, so a million brackets would use up the stack."""
        for bracket in ("[", '{"a":', '[{"a":'):
            with self.subTest(bracket=bracket):
                self.assertEqual(self.error_code(bracket * (MESSAGE_MAX // len(bracket) - 1)), PARSE_ERROR)

    def test_not_requests(self):
        for line in ("null", "1", '"a"', "[]", "{}", '[{"jsonrpc":"2.0","id":1,"method":"status"}]',
                     '{"jsonrpc":"1.0","id":1,"method":"status"}', '{"jsonrpc":"2.0","id":1}',
                     '{"jsonrpc":"2.0","id":{},"method":"status"}', '{"jsonrpc":"2.0","id":true,"method":"status"}',
                     '{"jsonrpc":"2.0","id":1,"method":["status"]}'):
            with self.subTest(line=line):
                self.assertEqual(self.error_code(line), INVALID_REQUEST)

    def test_no_method(self):
        for method in ("", "nosuch", "status ", "STATUS", "x" * 10000):
            with self.subTest(method=method):
                self.assertEqual(self.error_code(json.dumps({"jsonrpc": "2.0", "id": 1, "method": method})), NO_METHOD)

    def test_wrong_params(self):
        for method, params in (("status", []), ("status", {"path": "/"}), ("get", {}), ("get", {"path": 1}),
                               ("get", {"path": None}), ("get", {"path": ["a"]}), ("list", {"depth": -1}),
                               ("list", {"depth": 1.5}), ("list", {"attributes": "yes"}),
                               ("set", {"path": "a", "attribute": "b", "value": {}}),
                               ("set", {"path": "a", "attribute": "b", "value": None}),
                               ("create", {"path": "a", "attributes": []}),
                               ("create", {"path": "a", "attributes": {"b": [1]}}),
                               ("resize", {"path": "a", "size": "1"}),
                               ("kick", {"tsih": 1 << 70}), ("x" * 50, {})):
            with self.subTest(method=method, params=params):
                line = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
                self.assertEqual(self.error_code(line), NO_METHOD if method.startswith("x") else INVALID_PARAMS)

    def test_ids(self):
        for value in ("a", "", 0, -1, 1 << 53, None):
            with self.subTest(id=value):
                control = self.connect()
                control.send_raw(json.dumps({"jsonrpc": "2.0", "id": value, "method": "status"}).encode() + b"\n")
                message = control.read()
                self.assertEqual(message["id"], value)
                self.assertIn("result", message)

    def test_notification(self):
        """A notification is executed and not answered."""
        control = self.connect()
        control.send_raw(b'{"jsonrpc":"2.0","method":"create","params":{"path":"t_disk"}}\n'
                         b'{"jsonrpc":"2.0","method":"create","params":{"path":"a/b/c"}}\n'
                         b'{"jsonrpc":"2.0","method":"status"}\n')
        self.assertEqual(control.call("list", path="t_disk")["path"], "user_0/t_disk")

    def test_long(self):
        """The longest message is handled. A longer one ends the connection."""
        control = self.connect()
        path = "x" * (MESSAGE_MAX - 100)
        line = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "list", "params": {"path": path}}).encode()
        control.send_raw(line + b" " * (MESSAGE_MAX - len(line)) + b"\n")
        self.assertEqual(control.read()["error"]["data"]["errno"], "EINVAL")
        try:
            control.send_raw(b"x" * (2 * MESSAGE_MAX))
        except (BrokenPipeError, ConnectionResetError):
            pass
        message = control.read()
        self.assertTrue(message is None or message["error"]["code"] == INVALID_REQUEST, message)
        self.assertIsNone(control.read())

    def test_pieces(self):
        control = self.connect()
        for byte in b'{"jsonrpc":"2.0","id":1,"method":"status"}\n':
            control.send_raw(bytes([byte]))
        self.assertIn("result", control.read())

    def test_incomplete(self):
        """A message without its newline is never executed."""
        control = self.connect()
        control.send_raw(b'{"jsonrpc":"2.0","id":1,"method":"create","params":{"path":"t_disk"}}')
        control.socket.shutdown(1)
        self.assertIsNone(control.read())
        self.assertNotIn("user_0/t_disk", self.paths())

    def test_random(self):
        """Each message that was changed at random gets an answer, or ends the connection."""
        rng = random.Random(1)
        seeds = [b'{"jsonrpc":"2.0","id":1,"method":"list","params":{"path":"user_0/a","depth":1}}',
                 b'{"jsonrpc":"2.0","id":"a","method":"get","params":{"path":"a","attribute":"attrib/block_size"}}',
                 b'{"jsonrpc":"2.0","id":1,"method":"sessions","params":{}}']
        for _ in range(300):
            line = bytearray(rng.choice(seeds))
            for _ in range(rng.randrange(1, 6)):
                at = rng.randrange(len(line))
                line[at:at + rng.randrange(3)] = bytes([rng.choice(b'{}[]",:\\u0019x\x00\xff ')]) * rng.randrange(3)
            self.control.send_raw(bytes(line).replace(b"\n", b"") + b"\n")
            # The change may have turned the message into a notification, so a message follows that always gets an
            # answer.
            self.control.send_raw(b'{"jsonrpc":"2.0","id":"end","method":"schema"}\n')
            while self.control.read().get("id") != "end":
                pass


class Clients(ControlCase):
    def test_too_many(self):
        """If there are too many connections, the daemon closes the oldest of those that are not in use. A connection
        that waits for events is in use."""
        watcher = self.connect()
        watcher.call("subscribe")
        idle = [self.connect() for _ in range(CLIENTS_MAX)]
        self.assertIn("version", idle[-1].call("status"))
        self.assertIsNone(idle[0].read())
        self.create_disk_with(idle[-1])
        self.assertEqual(watcher.event()["path"], "user_0/t_disk")

    def create_disk_with(self, control):
        control.call("create", path="t_disk")

    def test_all_in_use(self):
        self.control.close()
        watchers = []
        for _ in range(CLIENTS_MAX):
            control = self.connect()
            control.call("subscribe")
            watchers.append(control)
        with Control(self.path) as late:
            message = late.read()
            self.assertEqual(message["error"]["data"]["errno"], "EAGAIN")
            self.assertIsNone(late.read())
        for control in watchers:
            control.close()
        # The daemon may not have noticed yet that the clients have left.
        while True:
            with Control(self.path) as control:
                control.send("status")
                if "result" in control.read():
                    break

    def test_client_that_does_not_read(self):
        """The daemon stops reading from a client that does not read answers, and serves other clients without delay."""
        client = self.connect()
        client.socket.settimeout(1)
        sent = 0
        try:
            while sent < 64 << 20:
                sent += client.socket.send(b'{"jsonrpc":"2.0","id":1,"method":"schema"}\n' * 100)
        except TimeoutError:
            pass
        self.assertLess(sent, 64 << 20)
        self.assertIn("version", self.connect().call("status"))


class ClientThatDoesNotRead(ControlCase):
    def test_is_dropped(self):
        """A client that does not read an answer loses its connection after half a minute."""
        client = self.connect()
        client.send_raw(b'{"jsonrpc":"2.0","id":1,"method":"schema"}\n' * 1000)
        client.socket.settimeout(None)
        poll = select.poll()
        poll.register(client.socket, 0)  # only the end of the connection is reported
        self.assertTrue(poll.poll(300 * 1000), "the connection is still there")
        self.wait_log("does not read")


if __name__ == "__main__":
    main()
