# SPDX-License-Identifier: Apache-2.0
"""Tests save, restore, reload, diff and forget, over the socket and with tcmuctl."""
import json
import os
import stat
import tempfile

from control_case import HOST, TARGET, TPG, ControlCase, main
from control_socket import Control


class Config(ControlCase):
    def setUp(self):
        super().setUp()
        folder = tempfile.TemporaryDirectory(prefix="tcmur-config-")
        self.addCleanup(folder.cleanup)
        self.file = os.path.join(folder.name, "saveconfig.json")

    def test_save_and_restore(self):
        self.create_disk()
        self.create_target()
        self.call("map", path=TARGET, storage="t_disk", initiator=HOST)
        self.call("save", file=self.file)
        self.assertEqual(stat.S_IMODE(os.stat(self.file).st_mode), 0o600)
        with open(self.file, encoding="utf-8") as file:
            self.assertIn(TARGET, [target["wwn"] for target in json.load(file)["targets"]])
        self.assertEqual(self.call("diff", file=self.file), {"lines": []})
        before = self.paths()
        self.call("delete", path=f"{TPG}/{HOST}", recursive=True)
        self.call("set", path=TPG, attribute="attrib/authentication", value=1)
        lines = self.call("diff", file=self.file)["lines"]
        self.assertTrue(any(line.startswith("- ") and HOST in line for line in lines), lines)
        self.assertTrue(any(line.startswith("~ ") and "authentication" in line for line in lines), lines)
        self.call("restore", file=self.file)
        self.assertEqual(self.paths(), before)
        self.assertIs(self.call("get", path=TPG, attribute="attrib/authentication")["value"], False)

    def test_progress(self):
        """A caller that asks for it learns how many steps have run."""
        self.create_disk()
        self.create_target()
        self.call("save", file=self.file)
        self.call("delete", path=TARGET, recursive=True)
        self.call("delete", path="t_disk")
        with Control(self.path) as control:
            control.call("restore", file=self.file, progress=True)
            self.assertTrue(control.events)
            for event in control.events:
                self.assertLessEqual(event["done"], event["total"])
            control.events = []
            control.call("restore", file=self.file)
            self.assertEqual(control.events, [])

    def test_filters(self):
        """Filters that were changed while the disk was in use are saved, compared, and restored without a pause."""
        self.call("create", path="t_disk", enable=True,
                  attributes={"control/config": "alloc/t_disk;filter=delay;read=1ms;filter=error;every=5",
                              "control/size": 1 << 20})
        self.call("save", file=self.file)
        self.tcmuctl("set-filter", "t_disk", "delay", "write=2ms")
        self.tcmuctl("set-filter", "t_disk", "error", "every")
        now = "alloc/t_disk;filter=delay;read=1ms;write=2ms;filter=error"
        lines = self.call("diff", file=self.file)["lines"]
        self.assertEqual(lines, [f"~ user/t_disk config: alloc/t_disk;filter=delay;read=1ms;filter=error;every=5 "
                                 f"in the file, {now} now"])
        # The disk is in memory. Its contents stay, because only options of its filters change.
        self.call("reload", file=self.file, discard=True)
        self.assertEqual([each["options"] for each in self.call("filters", path="t_disk")["filters"]],
                         [{"read": "1ms"}, {"every": "5"}])
        self.assertEqual(self.call("diff", file=self.file), {"lines": []})
        self.tcmuctl("set-filter", "t_disk", "delay", "read=0-3ms")
        self.call("save", file=self.file)
        with open(self.file, encoding="utf-8") as file:
            configs = [entry.get("config") for entry in json.load(file)["storage_objects"]]
        self.assertIn("alloc/t_disk;filter=delay;read=0-3ms;filter=error;every=5", configs)
        self.call("delete", path="t_disk")
        self.call("restore", file=self.file)
        self.assertEqual([each["options"] for each in self.call("filters", path="t_disk")["filters"]],
                         [{"read": "0-3ms"}, {"every": "5"}])

    def test_filters_after_replace(self):
        """Storage that is opened again has the filters as they were changed."""
        image = self.image()
        self.call("create", path="t_disk", enable=True,
                  attributes={"control/config": f"file/{image};filter=delay;read=1ms"})
        self.call("set_filter", path="t_disk", filter="delay", option="read", value="2ms")
        self.call("replace", path="t_disk")
        self.assertEqual(self.call("filters", path="t_disk")["filters"][0]["options"], {"read": "2ms"})

    def test_filters_of_a_file_that_are_wrong(self):
        """The disk keeps its filters, and the value that was refused is reported."""
        self.call("create", path="t_disk", enable=True,
                  attributes={"control/config": "alloc/t_disk;filter=delay;read=1ms", "control/size": 1 << 20})
        self.call("save", file=self.file)
        with open(self.file, encoding="utf-8") as file:
            text = file.read()
        with open(self.file, "w", encoding="utf-8") as file:
            file.write(text.replace("read=1ms", "read=1"))
        self.call("restore", file=self.file)
        self.assertEqual(self.call("filters", path="t_disk")["filters"][0]["options"], {"read": "1ms"})
        self.assertIn("read=1: this is not a time", str(self.call("status")["problems"]))

    def test_no_file(self):
        """This daemon was started without a file, so each call needs one."""
        for method in ("save", "restore", "reload", "diff"):
            self.refused("EINVAL", method)
            error = self.refused("EINVAL", method, file="relative.json")
            self.assertIn("absolute", str(error))
        for method in ("restore", "reload", "diff"):
            self.assertFalse(self.refused("ENOENT", method, file="/nonexistent/saveconfig.json").no_object)
        self.assertTrue(self.refused("ENOENT", "forget", name="nosuch").no_object)

    def test_tcmuctl(self):
        self.tcmuctl("create", "t_disk", "alloc/t_disk", "--size", "1M")
        self.assertEqual(self.tcmuctl("save", self.file), "the configuration is saved\n")
        self.assertEqual(self.tcmuctl("diff", self.file), "")
        self.assertIn("The daemon was started without --saveconfig", self.tcmuctl("status"))
        self.tcmuctl("create", TARGET)
        self.assertIn(f"+ {TARGET}", self.tcmuctl("diff", self.file))
        self.tcmuctl("reload", self.file, status=1)
        self.assertIn(TARGET, self.errors)
        self.tcmuctl("reload", self.file, "--discard")
        self.assertNotIn(TARGET, self.paths())
        self.assertIn("the configuration is restored", self.tcmuctl("restore", self.file))
        self.tcmuctl("save", status=1)
        self.assertIn("storage_objects[0]", self.refuse_an_entry("restore"))
        self.assertIn("storage_objects[0]", self.refuse_an_entry("reload", "--discard"))
        self.tcmuctl("forget", "nosuch", status=4)
        self.assertIn("tcmuctl status", self.errors)
        self.assertEqual(self.tcmuctl_json("save", self.file)["lines"], [])

    def test_one_name_in_two_hbas(self):
        """LIO allows it. The name alone stands for neither of the disks, and save and reload keep both."""
        for path in ("user_0/t_twin", "user_1/t_twin"):
            self.addCleanup(lambda path=path: self.call("delete", path=path))
            self.call("create", path=path, enable=True, attributes={"control/config": "alloc/" + path.replace("/", "-"),
                                                                    "control/size": 1 << 20})
        for method in ("get", "delete"):
            error = self.refused("EINVAL", method, path="t_twin")
            self.assertIn("user_0/t_twin, user_1/t_twin; write its full name", str(error))
        before = self.paths()
        self.assertEqual(self.call("save", file=self.file), {"lines": []})
        self.assertEqual(self.call("diff", file=self.file), {"lines": []})
        self.assertEqual(self.call("reload", file=self.file, discard=True), {"lines": []})
        self.assertEqual(self.paths(), before)
        for path in ("user_0/t_twin", "user_1/t_twin"):
            config = self.call("get", path=path, attribute="control/config")["value"]
            self.assertEqual(config, "alloc/" + path.replace("/", "-"))

    def refuse_an_entry(self, *command):
        """Runs the command with a file that has an entry that cannot be used. The command must list the entry and restore the
        rest, and its exit status must be 1."""
        with open(self.file, encoding="utf-8") as file:
            config = json.load(file)
        config["storage_objects"].insert(0, {"plugin": "pscsi", "name": "tape"})
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            json.dump(config, file)
            file.flush()
            output = self.tcmuctl(command[0], file.name, *command[1:], status=1)
            self.assertIn("is restored except for the entries and values", self.errors)
            lines = self.tcmuctl_json(command[0], file.name, *command[1:], status=1)["lines"]
        self.assertEqual(output.splitlines(), lines)
        self.assertIn("user_0/t_disk", self.paths())
        return output

    def test_relative_path(self):
        """tcmuctl sends the complete path, because the daemon has another current folder."""
        folder = os.getcwd()
        os.chdir(os.path.dirname(self.file))
        self.addCleanup(os.chdir, folder)
        self.tcmuctl("save", "here.json")
        self.assertTrue(os.path.exists("here.json"))


if __name__ == "__main__":
    main()
