# SPDX-License-Identifier: Apache-2.0
"""Random changes of the configuration: a save and a restart change nothing, and a reload takes back what was not saved.
The sequences are the same in each run, and a failure prints the changes of its sequence."""
import json
import os
import random
import sys
import tempfile
import unittest

import control_case  # noqa: F401  # pylint: disable=unused-import
from control_socket import Control, Refused
from daemon import Daemon, free_port, wait_until

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../tree"))
# pylint: disable=wrong-import-position
from host import free_port_of_both_families  # noqa: E402

SEQUENCES, STEPS = 6, 60
TARGETS = [f"iqn.2026-11.com.example:t{i}" for i in range(2)]
# The daemon listens to the portal of this target, which stays as it is.
FIXED = "iqn.2026-11.com.example:fixed"
HOSTS = [f"iqn.2026-11.com.example:h{i}" for i in range(3)]
HBAS = ["user_0", "user_1", "user_10", "fileio_0", "fileio_3", "rd_mcp_0", "iblock_2"]
# These attributes show the state of a disk, not its configuration.
NOT_CONFIGURED = ("health/", "statistics/")
# The values of these attributes may differ after a restart.
CHANGED_BY_RESTART = ("control/create", "wwn/vpd_unit_serial")


class Changes:
    """Makes random changes. Changes that the daemon refuses are part of the test."""

    def __init__(self, seed, folder, port):
        self.random, self.folder, self.port = random.Random(seed), folder, port
        self.control, self.done = None, []

    def call(self, method, **params):
        try:
            self.control.call(method, **params)
            self.done.append((method, params))
        except Refused:
            pass

    def objects(self, kind=None):
        def walk(tree):
            yield tree
            for child in tree.get("children", []):
                yield from walk(child)
        return [tree["path"] for tree in walk(self.control.call("list"))
                if kind in (None, tree["kind"]) and not tree["path"].startswith(FIXED)]

    def random_path(self, kind, default):
        return self.random.choice(self.objects(kind) or [default])

    def create_disk(self):
        choose = self.random.choice
        config = f"file/{self.folder}/{choose('abcdef')}"
        config += choose(["", "", ";filter=delay;read=1ms", ";filter=delay;read=1ms;filter=error;every=9"])
        attributes = {"control/config": config}
        attributes |= choose([{}, {"control/size": 1 << 20}, {"control/read_only": True}, {"attrib/time_limit": 9}])
        self.call("create", path=f"{choose(HBAS)}/{choose('xyz')}", enable=True, attributes=attributes)

    def create_in_target(self):
        choose = self.random.choice
        self.call("create", path=choose(TARGETS))
        self.call("create", path=f"{choose(TARGETS)}/tpgt_{choose([1, 2])}", enable=choose([True, False]))
        tpg, disk = self.random_path("tpg", TARGETS[0]), self.random_path("storage", "none")
        self.call("create", path=f"{tpg}/{choose(['127.0.0.1', '[::1]', '*', '[::]'])}:{self.port}")
        self.call("create", path=f"{tpg}/{choose(HOSTS)}")
        self.call("map", path=tpg, storage=disk, **choose([{}, {"lun": 300}, {"initiator": choose(HOSTS)}]))

    def delete(self):
        self.call("delete", path=self.random.choice(self.objects()), recursive=True)

    def set(self):
        path = self.random.choice(self.objects())
        kind = self.control.call("get", path=path)["kind"]
        attributes = [item for item in self.attributes if item["kind"] == kind]
        attribute = self.random.choice(attributes) if attributes else {"name": None}
        if attribute["name"] not in (None, "wwn/vpd_unit_serial", "control/config"):
            self.call("set", path=path, attribute=attribute["name"], value=self.value(attribute))

    def value(self, attribute):
        values = {"boolean": [True, False], "yes_no": ["Yes", "No"],
                  "secret": ["", "secret 12345678", "alice secret-12345678"], "text": ["", "0", "10.0.0.0/8", "alice"]}
        if attribute["type"] == "number":
            low, high = attribute["min"], attribute["max"]
            return self.random.choice([low, high, int(attribute["default"] or 0), low + (high - low) // 3])
        if "unset" in attribute and self.random.random() < 0.3:
            return attribute["unset"]
        return self.random.choice(values.get(attribute["type"], attribute.get("choices", "").split(",")))

    def set_filter(self):
        self.call("set_filter", path=self.random_path("storage", "none"), filter=self.random.choice(["delay", "error"]),
                  option=self.random.choice(["read", "every"]), value=self.random.choice(["2ms", "5"]))

    def run(self, control, steps):
        self.control = control
        self.attributes = [item for item in control.call("schema")["attributes"] if "read_only" not in item["flags"]]
        for _ in range(steps):
            self.random.choice([self.create_disk, self.create_in_target, self.delete, self.set, self.set, self.set,
                                self.set, self.set_filter])()


def snapshot(control, ignored=()):
    """Returns the values of all objects by path and name."""
    found = {}

    def walk(tree):
        path = tree["path"]
        found[path] = {name: tree[name] for name in ("kind", "enabled", "to", "size", "read_only", "write_cache")
                       if name in tree}
        found[path] |= {name: value for name, value in tree["attributes"].items()
                        if not name.startswith(NOT_CONFIGURED) and name not in ignored}
        for child in tree.get("children", []):
            walk(child)
    walk(control.call("list", attributes=True))
    return found


class Random(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="tcmur-random-")
        self.addCleanup(folder.cleanup)
        self.folder, self.port, self.other_port = folder.name, free_port(), free_port_of_both_families()
        self.path = os.path.join(self.folder, "saveconfig.json")
        for name in "abcdef":
            with open(os.path.join(self.folder, name), "wb") as file:
                file.truncate(1 << 20)

    def write_first_file(self):
        tpg = {"tag": 1, "portals": [{"ip_address": "127.0.0.1", "port": self.port}]}
        with open(self.path, "w", encoding="utf-8") as file:
            json.dump({"targets": [{"fabric": "iscsi", "wwn": FIXED, "tpgs": [tpg]}]}, file)
        os.chmod(self.path, 0o600)

    def daemon(self):
        daemon = Daemon("--saveconfig", self.path, "--run-dir", os.path.join(self.folder, "run"), "--state-dir",
                        os.path.join(self.folder, "state"), port=self.port, portal=False)
        wait_until(lambda: "run/control" in daemon.output(), daemon.output)
        return daemon

    def connect(self):
        control = Control(os.path.join(self.folder, "run", "control"))
        self.addCleanup(control.close)
        return control

    def assert_saved(self, control):
        self.assertEqual(control.call("diff"), {"lines": []})
        self.assertIs(control.call("status")["unsaved_changes"], False)

    def run_sequence(self, changes):
        with self.daemon():
            control = self.connect()
            changes.run(control, STEPS)
            control.call("save")
            self.assert_saved(control)
            before = snapshot(control, CHANGED_BY_RESTART)
        with self.daemon():
            control = self.connect()
            self.assertEqual(snapshot(control, CHANGED_BY_RESTART), before)
            self.assert_saved(control)
            before = snapshot(control)
            changes.run(control, STEPS // 4)
            self.assertEqual(control.call("reload", discard=True), {"lines": []})
            self.assertEqual(snapshot(control), before)
            self.assert_saved(control)

    def test_random_changes(self):
        for seed in range(SEQUENCES):
            with self.subTest(seed=seed):
                self.write_first_file()
                changes = Changes(seed, self.folder, self.other_port)
                try:
                    self.run_sequence(changes)
                except AssertionError:
                    print(*changes.done, sep="\n")
                    raise


main = unittest.main

if __name__ == "__main__":
    main()
