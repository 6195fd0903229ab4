# SPDX-License-Identifier: Apache-2.0
"""A secret that is set through the socket appears nowhere: not in answers, events, errors or the log."""
import json
import os

from control_case import HOST, TARGET, TPG, ControlCase, main

SECRET = "Xyzzy plugh 12345"


class Secrets(ControlCase):
    args = ("--export", "alloc/a,size=64M,name=a", "--debug")

    def setUp(self):
        super().setUp()
        self.create_target()
        self.watcher = self.connect()
        self.watcher.call("subscribe")

    def tearDown(self):
        """No secret may be in anything that the daemon has written."""
        self.call("create", path="t_end")
        said = []
        while not said or said[-1]["path"] != "user_0/t_end":
            said.append(self.watcher.event())
        said += [self.call("list", attributes=True), self.call("status"), self.call("schema")]
        said += [self.call("get", path=path) for path in self.paths()]
        self.assertNotIn("Xyzzy", json.dumps(said))
        self.assertNotIn("Xyzzy", self.wait_log("create path=t_end"))
        self.call("delete", path="t_end")

    def secret_attributes(self):
        return [(item["kind"], item["name"]) for item in self.call("schema")["attributes"] if item["type"] == "secret"]

    def test_each_secret(self):
        self.call("create", path=f"{TPG}/{HOST}")
        paths = {"root": "/", "tpg": TPG, "acl": f"{TPG}/{HOST}"}
        self.assertEqual({kind for kind, _ in self.secret_attributes()}, set(paths))
        for kind, name in self.secret_attributes():
            with self.subTest(kind=kind, name=name):
                self.assertEqual(self.call("get", path=paths[kind], attribute=name)["value"], {"is_set": False})
                self.assertEqual(self.call("set", path=paths[kind], attribute=name, value=SECRET), {})
                self.assertEqual(self.call("get", path=paths[kind], attribute=name)["value"], {"is_set": True})
                self.call("set", path=paths[kind], attribute=name, value="")
                self.assertEqual(self.call("get", path=paths[kind], attribute=name)["value"], {"is_set": False})

    def assert_refused_without_secret(self, errno, method, **params):
        self.assertNotIn("Xyzzy", json.dumps(self.refused(errno, method, **params).error))

    def test_refused(self):
        self.assert_refused_without_secret("EINVAL", "set", path=TPG, attribute="auth/password", value=SECRET + "\n")
        self.assert_refused_without_secret("EINVAL", "set", path=TPG, attribute="auth/password", value=SECRET * 100)
        self.assert_refused_without_secret("ENOENT", "set", path=TPG, attribute="auth/pasword", value=SECRET)
        self.assert_refused_without_secret("ENOENT", "set", path=TPG, attribute="attrib/password", value=SECRET)
        self.assert_refused_without_secret("ENOENT", "set", path=TARGET, attribute="auth/password", value=SECRET)

    def test_create(self):
        acl = f"{TPG}/{HOST}"
        self.call("create", path=acl, attributes={"auth/userid": "u", "auth/password": SECRET})
        self.assertFalse(self.call("create", path=acl, attributes={"auth/password": SECRET})["created"])
        self.assert_refused_without_secret("EEXIST", "create", path=acl, attributes={"auth/password": "Xyzzy, another one"})
        self.wait_log(f"create path={acl} auth/userid=u auth/password=(hidden)")

    def test_broken_message(self):
        """The parser's own error message would contain the line."""
        for line in ('{"jsonrpc":"2.0","id":1,"method":"set","params":{"value":"Xyzzy" "path"}}',
                     '{"jsonrpc":"2.0","id":1,"method":"set","params":{"value":Xyzzy}}', "Xyzzy",
                     '{"jsonrpc":"2.0","id":1,"method":"set","params":["Xyzzy"]}'):
            with self.subTest(line=line):
                self.control.send_raw(line.encode() + b"\n")
                self.assertNotIn(b"Xyzzy", self.control.read_line())


class Log(ControlCase):
    def test_changes(self):
        """Each change is in the log with the user's ID, and each refused change with the reason."""
        self.create_target()
        self.call("set", path=TPG, attribute="attrib/authentication", value=1)
        self.call("list", path=TPG)
        self.refused("EINVAL", "set", path=TPG, attribute="attrib/authentication", value="much")
        self.call("set", path=TPG, attribute="auth/password", value=SECRET)
        log = self.wait_log("auth/password=(hidden)\n")
        user = f"control: user {os.geteuid()}: "
        self.assertIn(f"{user}create path={TARGET}\n", log)
        self.assertIn(f"{user}set path={TPG} attrib/authentication=1\n", log)
        self.assertIn(f"{user}set path={TPG} attrib/authentication=much: refused: ", log)
        self.assertIn(f"{user}set path={TPG} auth/password=(hidden)\n", log)
        self.assertNotIn(f"{user}list", log)


if __name__ == "__main__":
    main()
