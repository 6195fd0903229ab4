# SPDX-License-Identifier: Apache-2.0
"""Tests save, restore, reload, diff and forget, over the socket and with tcmuctl."""
import json
import os
import stat
import tempfile

from control_case import HOST, TARGET, TPG, ControlCase, main


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
        self.assertIn("No file keeps this configuration", self.tcmuctl("status"))
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
        """A file with an entry that cannot be used: it is listed, the rest is restored, and the status says so."""
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
