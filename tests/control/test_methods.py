# SPDX-License-Identifier: Apache-2.0
"""The methods of the control socket, as a program uses them."""
import os
import threading

from control_case import HOST, TARGET, TPG, ControlCase, main
from control_socket import Control, Refused


class Read(ControlCase):
    def test_status(self):
        status = self.call("status")
        self.assertRegex(status["version"], r"^\d+\.\d+\.\d+$")
        self.assertEqual(status["pid"], self.daemon.process.pid)
        self.assertGreaterEqual(status["uptime"], 0)
        self.assertIs(status["degraded"], False)
        self.assertEqual(status["problems"], [])
        self.assertEqual(status["targets"], 1)
        disk, = status["storage"]
        self.assertEqual((disk["state"], disk["size"]), ("served", 64 << 20))

    def test_list(self):
        root = self.call("list")
        self.assertEqual((root["path"], root["kind"]), ("/", "root"))
        kinds = [child["kind"] for child in root["children"]]
        self.assertEqual(kinds, ["storage", "target"])
        target = root["children"][1]["path"]
        below = self.call("list", path=target, depth=1)
        self.assertEqual([child["path"] for child in below["children"]], [target + "/tpgt_1"])
        self.assertNotIn("children", below["children"][0])
        alone = self.call("list", path=target, depth=0)
        self.assertNotIn("children", alone)
        self.assertNotIn("attributes", alone)
        tpg = self.call("list", path=target + "/tpgt_1", attributes=True)
        self.assertIn("attrib/authentication", tpg["attributes"])

    def test_get(self):
        self.create_target()
        self.assertIs(self.call("get", path=TPG, attribute="attrib/authentication")["value"], False)
        self.assertEqual(self.call("get", path=TPG, attribute="attrib/default_cmdsn_depth")["value"], 64)
        self.assertEqual(self.call("get", path=TPG)["attributes"]["param/InitialR2T"], "Yes")

    def test_names_that_do_not_exist(self):
        for path in ("nosuch", "user_0/nosuch", TARGET, TPG, TPG + "/lun_7", f"{TPG}/{HOST}/lun_0"):
            with self.subTest(path=path):
                error = self.refused("ENOENT", "list", path=path)
                self.assertTrue(error.no_object)
        self.create_target()
        for path in (TPG + "/lun_7", f"{TPG}/{HOST}", f"{TPG}/{HOST}/lun_0", TPG + "/127.0.0.1:1"):
            with self.subTest(path=path):
                self.assertTrue(self.refused("ENOENT", "get", path=path).no_object)
        self.assertTrue(self.refused("ENOENT", "get", path=TPG, attribute="attrib/nosuch").no_object)
        self.assertIn("attrib/authentication", str(self.refused("ENOENT", "get", path=TPG, attribute="authentication")))

    def test_paths_without_meaning(self):
        for path in ("a/b/c", TARGET + "/lun_0", TARGET + "//tpgt_1", "user_0/", "x" * 5000):
            with self.subTest(path=path):
                self.create_target()
                self.refused("EINVAL", "list", path=path)

    def test_names_of_plug_ins(self):
        """The first part of a name is one of LIO's plug-ins with a number. Another first part, such as a typing error, is
        refused."""
        for name in ("x/y", "user/t_a", "user_/t_a", "user_x/t_a", "user_01/t_a", "ramdisk_0/t_a", "_0/t_a"):
            with self.subTest(name=name):
                error = self.refused("EINVAL", "create", path=name)
                self.assertIn("user_N, fileio_N, iblock_N or rd_mcp_N", str(error))
        for name in ("user_1/t_a", "fileio_12/t_b"):
            self.create_disk(name)
            self.assertEqual(self.call("list", path=name)["path"], name)
            self.call("delete", path=name)

    def test_write_cache_as_the_storage_says(self):
        """auto takes the value back: the disk follows its storage again."""
        self.create_disk("t_a")
        before = self.call("list", path="t_a", attributes=True)
        for value, shown in (("0", False), ("1", True), ("auto", before["write_cache"])):
            if value == "1" and not before["write_cache"]:
                continue
            self.call("set", path="t_a", attribute="attrib/emulate_write_cache", value=value)
            # The attribute and the disk say the same.
            listed = self.call("list", path="t_a", attributes=True)
            self.assertEqual((listed["write_cache"], listed["attributes"]["attrib/emulate_write_cache"]),
                             (shown, shown))
        self.assertEqual(self.call("list", path="t_a", attributes=True), before)
        self.refused("EINVAL", "set", path="t_a", attribute="attrib/emulate_write_cache", value="other")

    def test_short_names_of_disks(self):
        self.create_disk("user_0/t_a")
        self.assertEqual(self.call("list", path="t_a")["path"], "user_0/t_a")
        self.call("create", path="user_1/t_a")
        self.addCleanup(self.delete_disk, "user_1/t_a")
        self.assertIn("user_0/t_a, user_1/t_a", str(self.refused("EINVAL", "list", path="t_a")))
        self.refused("EINVAL", "delete", path="t_a")
        self.call("create", path="user_2/t_b")
        self.addCleanup(self.delete_disk, "user_2/t_b")
        self.assertEqual(self.call("list", path="t_b")["path"], "user_2/t_b")
        self.call("create", path="user_3/t_b")
        self.addCleanup(self.delete_disk, "user_3/t_b")
        self.assertIn("user_2/t_b, user_3/t_b", str(self.refused("EINVAL", "list", path="t_b")))

    def delete_disk(self, path):
        with Control(self.path) as control:
            control.call("delete", path=path)


class Change(ControlCase):
    def test_refusals_have_the_whole_names(self):
        """However short the name in the call is, the error has the whole name of the object."""
        self.create_disk()
        self.call("create", path="t_new", attributes={"control/config": "alloc/t_new"})
        self.create_target()
        self.call("create", path=f"{TPG}/{HOST}")
        self.call("map", path=TARGET, storage="t_disk", lun=3)
        disk = "user_0/t_disk"
        for expected, errno, method, params in (
                (f"{disk} has no filter delay", "ENOENT", "set_filter",
                 {"path": "t_disk", "filter": "delay", "option": "read", "value": "1ms"}),
                ("the storage of user_0/t_new is not open", "ENODEV", "filters", {"path": "t_new"}),
                (f"{disk} is a storage object; sessions belong to targets", "EINVAL", "sessions", {"path": "t_disk"}),
                (f"{disk} is a storage object, and not a target or a TPG", "EINVAL", "map",
                 {"path": "t_disk", "storage": "t_disk"}),
                (f"{disk} is a storage object; only targets", "EINVAL", "drain", {"path": "t_disk"}),
                (f'{disk}: a storage object has no attribute "x"', "ENOENT", "get", {"path": "t_disk", "attribute": "x"}),
                (f'{disk}: a storage object has no attribute "x"', "ENOENT", "set",
                 {"path": "t_disk", "attribute": "x", "value": 1}),
                (f'{TPG}/lun_9: a LUN needs the parameter "to"', "EINVAL", "create", {"path": f"{TPG}/lun_9"}),
                ("user_0/t_more: a storage object does not point", "EINVAL", "create", {"path": "t_more", "to": "t_disk"}),
                (f"{TPG} is a TPG, and not a storage object", "EINVAL", "map", {"path": TARGET, "storage": TPG}),
                (f"{TPG} is a TPG, and not a storage object", "EINVAL", "unmap", {"path": TARGET, "storage": TPG}),
                (f"{TPG} has no lun_5", "ENOENT", "unmap", {"path": TARGET, "lun": 5}),
                (f"{TPG} has no LUN that leads to user_0/t_new", "ENOENT", "unmap", {"path": TARGET, "storage": "t_new"}),
                (f"{TPG}/{HOST} has no lun_3 that leads to {disk}", "ENOENT", "unmap",
                 {"path": TARGET, "storage": "t_disk", "lun": 3, "initiator": HOST}),
                (f"{TPG}: 'lun_x' is not the name of a LUN", "EINVAL", "create", {"path": f"{TPG}/lun_x", "to": "t_disk"})):
            self.assertIn(expected, str(self.refused(errno, method, **params)))

    def test_create_again(self):
        values = {"control/config": "alloc/t_disk", "control/size": 1 << 20}
        first = self.call("create", path="t_disk", attributes=values, enable=True)
        self.assertEqual(first, {"path": "user_0/t_disk", "created": True})
        again = self.call("create", path="t_disk", attributes=values, enable=True)
        self.assertEqual(again, {"path": "user_0/t_disk", "created": False})
        # Numbers are compared as numbers, and attributes that are not given are not compared.
        self.assertFalse(self.call("create", path="t_disk", attributes={"control/size": "01048576"})["created"])
        error = self.refused("EEXIST", "create", path="t_disk", attributes={"control/size": 2 << 20})
        self.assertIn("control/size", str(error))
        self.assertEqual(self.call("get", path="t_disk", attribute="control/size")["value"], 1 << 20)

    def test_create_all_kinds(self):
        self.create_disk()
        self.create_target()
        for path, more in ((TPG + "/127.0.0.1:0", {}), (TPG + "/lun_3", {"to": "t_disk"}), (f"{TPG}/{HOST}", {}),
                           (f"{TPG}/{HOST}/lun_5", {"to": "lun_3", "attributes": {"write_protect": True}})):
            with self.subTest(path=path):
                self.assertTrue(self.call("create", path=path, **more)["created"])
                self.assertFalse(self.call("create", path=path, **more)["created"])
        mapped = self.call("list", path=f"{TPG}/{HOST}/lun_5", attributes=True)
        self.assertEqual((mapped["lun"], mapped["to"], mapped["storage"]), (5, TPG + "/lun_3", "user_0/t_disk"))
        self.assertIs(mapped["attributes"]["write_protect"], True)
        self.refused("EEXIST", "create", path=f"{TPG}/{HOST}/lun_5", to="lun_3", attributes={"write_protect": 0})
        self.create_disk("t_other")
        self.refused("EEXIST", "create", path=TPG + "/lun_3", to="t_other")

    def test_create_is_undone(self):
        before = self.paths()
        error = self.refused("EINVAL", "create", path="t_disk", enable=True,
                             attributes={"control/config": "alloc/t", "control/size": "much"})
        self.assertIn("much", str(error))
        self.refused("ENOENT", "create", path="t_disk", attributes={"control/nosuch": 1})
        self.refused("EPERM", "create", path="t_disk", attributes={"health/state": "served"})
        with self.assertRaises(Refused) as context:
            self.call("create", path="t_disk", enable=True, attributes={"control/config": "nosuch/t"})
        # The handler does not exist, but every object that the call names does.
        self.assertFalse(context.exception.no_object)
        self.assertEqual(self.paths(), before)

    def test_create_refused(self):
        self.create_disk()
        self.create_target()
        self.refused("EINVAL", "create", path=TPG + "/lun_0")
        self.refused("EINVAL", "create", path=f"{TPG}/{HOST}", to="t_disk")
        self.refused("ENOENT", "create", path=TPG + "/lun_0", to="nosuch")
        self.refused("ENOENT", "create", path=f"{TPG}/{HOST}/lun_0", to="lun_0")
        self.refused("EINVAL", "create", path="/")
        self.refused("EINVAL", "create", path=TARGET + "/nosuch")

    def test_delete(self):
        self.create_disk()
        self.create_target()
        self.call("map", path=TARGET, storage="t_disk")
        self.refused("EBUSY", "delete", path="t_disk")
        self.refused("ENOTEMPTY", "delete", path=TARGET)
        self.refused("EINVAL", "delete", path="/")
        self.call("delete", path=TARGET, recursive=True)
        self.call("delete", path="t_disk")
        self.assertTrue(self.refused("ENOENT", "delete", path="t_disk").no_object)

    def test_enable(self):
        self.create_target()
        self.call("create", path="t_disk", attributes={"control/config": "alloc/t_disk", "control/size": 1 << 20})
        self.assertFalse(self.call("list", path="t_disk")["enabled"])
        self.refused("ENODEV", "map", path=TARGET, storage="t_disk")
        for _ in range(2):
            self.call("enable", path="t_disk")
        self.assertEqual(self.call("list", path="t_disk")["state"], "served")
        self.refused("EINVAL", "disable", path="t_disk")
        self.call("disable", path=TARGET)
        self.assertFalse(self.call("list", path=TPG)["enabled"])
        self.refused("EEXIST", "create", path=TPG, enable=True)
        self.call("enable", path=TARGET)
        self.assertTrue(self.call("list", path=TPG)["enabled"])
        self.call("create", path=TARGET + "/tpgt_2")
        self.assertIn("several TPGs", str(self.refused("EINVAL", "enable", path=TARGET)))

    def test_set(self):
        self.create_target()
        for value, wanted in ((1, True), ("0", False), (True, True), (False, False)):
            self.call("set", path=TPG, attribute="attrib/authentication", value=value)
            self.assertIs(self.call("get", path=TPG, attribute="attrib/authentication")["value"], wanted)
        self.refused("EINVAL", "set", path=TPG, attribute="attrib/authentication", value=2)
        self.refused("ENOENT", "set", path=TPG, attribute="nosuch", value=2)
        self.refused("EPERM", "set", path=TPG, attribute="dynamic_sessions", value="x")

    def test_map(self):
        self.create_disk()
        self.create_disk("t_other")
        self.create_target()
        first = self.call("map", path=TARGET, storage="t_disk")
        self.assertEqual(first, {"path": TPG + "/lun_0", "lun": 0, "created": True})
        self.assertFalse(self.call("map", path=TARGET, storage="t_disk")["created"])
        self.assertEqual(self.call("map", path=TPG, storage="t_other", lun=7)["lun"], 7)
        self.refused("EEXIST", "map", path=TPG, storage="t_disk", lun=7)
        self.refused("EINVAL", "map", path=TPG, storage="t_disk", lun=16384)
        self.refused("EINVAL", "map", path=TPG, storage=TARGET)
        # For an initiator, the ACL is created, and the LUN keeps its number.
        mapped = self.call("map", path=TARGET, storage="t_other", initiator=HOST, attributes={"write_protect": 1})
        self.assertEqual(mapped, {"path": f"{TPG}/{HOST}/lun_0", "lun": 0, "created": True})
        again = self.call("map", path=TARGET, storage="t_other", initiator=HOST.upper())
        self.assertEqual((again["lun"], again["created"]), (0, False))
        self.refused("EEXIST", "map", path=TARGET, storage="t_other", initiator=HOST, attributes={"write_protect": 0})
        self.assertEqual(self.call("map", path=TARGET, storage="t_disk", initiator=HOST, lun=9)["lun"], 9)

    def test_map_is_undone(self):
        self.create_disk()
        self.create_target()
        before = self.paths()
        self.refused("EINVAL", "map", path=TARGET, storage="t_disk", initiator="no name")
        self.refused("EINVAL", "map", path=TARGET, storage="t_disk", initiator=HOST, attributes={"write_protect": 2})
        self.assertEqual(self.paths(), before)

    def test_unmap(self):
        self.create_disk()
        self.create_disk("t_other")
        self.create_target()
        for disk in ("t_disk", "t_other"):
            self.call("map", path=TARGET, storage=disk, initiator=HOST)
        self.assertEqual(self.call("unmap", path=TARGET, storage="t_disk", initiator=HOST),
                         {"deleted": [f"{TPG}/{HOST}/lun_0"]})
        self.refused("ENOENT", "unmap", path=TARGET, storage="t_disk", initiator=HOST)
        self.refused("ENOENT", "unmap", path=TARGET, lun=9)
        self.refused("ENOENT", "unmap", path=TARGET, lun=0, initiator="iqn.2026-11.com.example:stranger")
        self.refused("EINVAL", "unmap", path=TARGET)
        self.assertEqual(self.call("unmap", path=TARGET, storage="t_other"),
                         {"deleted": [f"{TPG}/{HOST}/lun_1", TPG + "/lun_1"]})
        self.assertEqual(self.call("unmap", path=TARGET, lun=0), {"deleted": [TPG + "/lun_0"]})

    def test_storage(self):
        image = self.image()
        self.call("create", path="t_disk", enable=True, attributes={"control/config": "file/" + image})
        self.call("resize", path="t_disk", size=2 << 20)
        self.assertEqual(self.call("list", path="t_disk")["size"], 2 << 20)
        # Another file has taken the place of the image.
        os.replace(self.image(2 << 20), image)
        self.call("replace", path="t_disk")
        self.create_target()
        self.refused("EINVAL", "resize", path=TARGET, size=1)
        self.refused("EINVAL", "replace", path=TARGET)
        self.call("create", path="t_other")
        self.refused("EINVAL", "replace", path="t_other")

    def test_filters(self):
        """Options change while the disk is served, and are a part of its configuration."""
        config = "alloc/t_disk;filter=delay;delay=0;filter=delay;read=0-1ms;filter=error;count=1;every=2"
        self.call("create", path="t_disk", enable=True,
                  attributes={"control/config": config, "control/size": 1 << 20})
        self.assertEqual(self.call("filters", path="t_disk")["filters"],
                         [{"number": 0, "filter": "delay", "options": {"delay": "0"}},
                          {"number": 1, "filter": "delay", "options": {"read": "0-1ms"}},
                          {"number": 2, "filter": "error", "options": {"count": "1", "every": "2"}}])
        self.call("set_filter", path="t_disk", filter="error", option="every", value="9")
        self.call("set_filter", path="t_disk", filter="error", option="count")
        self.call("set_filter", path="t_disk", filter="1", option="write", value="2s")
        self.assertEqual([filter["options"] for filter in self.call("filters", path="t_disk")["filters"]],
                         [{"delay": "0"}, {"read": "0-1ms", "write": "2s"}, {"every": "9"}])
        error = self.refused("EINVAL", "set_filter", path="t_disk", filter="delay", option="read", value="0")
        self.assertIn("several filters delay", str(error))
        error = self.refused("EINVAL", "set_filter", path="t_disk", filter="error", option="every", value="0")
        self.assertIn("filter error: every=0: this is not a whole number", str(error))
        self.refused("EINVAL", "set_filter", path="t_disk", filter="error", option="speed", value="0")
        self.refused("ENOENT", "set_filter", path="t_disk", filter="3", option="every", value="1")
        self.create_target()
        self.refused("EINVAL", "filters", path=TARGET)
        self.call("create", path="t_other")
        self.refused("ENODEV", "filters", path="t_other")
        self.assertEqual(self.call("get", path="t_disk", attribute="control/config")["value"],
                         "alloc/t_disk;filter=delay;delay=0;filter=delay;read=0-1ms;write=2s;filter=error;every=9")

    def test_set_config(self):
        """The configuration of a disk that is in use changes only in the options of its filters."""
        self.call("create", path="t_disk", enable=True,
                  attributes={"control/config": "alloc/t_disk;filter=delay;read=1ms", "control/size": 1 << 20})
        for config in ("alloc/t_disk", "alloc/t_other;filter=delay;read=1ms", "alloc/t_disk;filter=error"):
            error = self.refused("EBUSY", "set", path="t_disk", attribute="control/config", value=config)
            self.assertIn("except for the options of its filters", str(error))
        error = self.refused("EINVAL", "set", path="t_disk", attribute="control/config",
                             value="alloc/t_disk;filter=delay;read=2ms;write=3")
        self.assertIn("filter delay: write=3", str(error))
        self.assertEqual(self.call("filters", path="t_disk")["filters"][0]["options"], {"read": "1ms"})
        self.call("set", path="t_disk", attribute="control/config", value="alloc/t_disk;filter=delay;flush=0-2ms")
        self.assertEqual(self.call("filters", path="t_disk")["filters"][0]["options"], {"flush": "0-2ms"})

    def test_names_of_options(self):
        """Only names of options of the filter are accepted, so a name or a value cannot add further options or filters to
        the configuration."""
        config = "alloc/t_disk;filter=delay;read=1ms"
        self.call("create", path="t_disk", enable=True,
                  attributes={"control/config": config, "control/size": 1 << 20})
        for option in ("read=1ms;write", "filter", "read;filter", ""):
            for params in ({}, {"value": "2ms"}):
                self.refused("EINVAL", "set_filter", path="t_disk", filter="delay", option=option, **params)
        self.refused("EINVAL", "set_filter", path="t_disk", filter="delay", option="read", value="2ms;write=2ms")
        self.assertEqual(self.call("get", path="t_disk", attribute="control/config")["value"], config)

    def test_drain(self):
        self.create_disk()
        self.create_target()
        self.call("map", path=TARGET, storage="t_disk")
        self.assertEqual(self.call("drain", path=TARGET), {"disabled": [TPG]})
        self.assertEqual(self.call("drain", path=TPG), {"disabled": []})
        self.refused("EINVAL", "drain", path="t_disk")


class Clients(ControlCase):
    def test_order(self):
        """The requests of one connection are handled in their order, even if they are sent at once."""
        other = self.connect()
        ids = [other.send("create", path="t_disk", enable=True,
                          attributes={"control/config": "alloc/t_disk", "control/size": 1 << 20}),
               other.send("create", path=TARGET), other.send("create", path=TPG, enable=True),
               other.send("map", path=TARGET, storage="t_disk"), other.send("list", path=TPG)]
        answers = [other.answer(wanted) for wanted in ids]
        self.assertEqual(answers[-1]["children"][0]["path"], TPG + "/lun_0")

    def test_two_at_once(self):
        """Two clients create and delete the same objects. Each call is answered, and no object is left."""
        failures = []
        expected = ("EBUSY", "ENOENT", "EEXIST", "EINVAL", "ENODEV", "ENOTEMPTY", "ECANCELED")

        def work():
            with Control(self.path) as control:
                for _ in range(30):
                    for method, params in (
                            ("create", {"path": "t_disk", "enable": True, "attributes":
                                        {"control/config": "alloc/t_disk", "control/size": 1 << 20}}),
                            ("create", {"path": TARGET}), ("create", {"path": TPG, "enable": True}),
                            ("map", {"path": TARGET, "storage": "t_disk", "initiator": HOST}),
                            ("delete", {"path": TARGET, "recursive": True}), ("delete", {"path": "t_disk"})):
                        try:
                            control.call(method, **params)
                        except Refused as refused:
                            if refused.errno not in expected:
                                failures.append(refused.error)

        threads = [threading.Thread(target=work) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(failures, [])
        self.clean()
        self.assertNotIn("user_0/t_disk", self.paths())

    def test_client_that_leaves(self):
        """A call is executed to its end although its client has left."""
        leaving = self.connect()
        leaving.send("create", path="t_disk", enable=True,
                     attributes={"control/config": "alloc/t_disk", "control/size": 1 << 20})
        leaving.close()
        self.wait_for(lambda: "user_0/t_disk" in self.paths())

    def wait_for(self, condition):
        watcher = self.connect()
        watcher.call("subscribe")
        while not condition():
            watcher.event()


class Events(ControlCase):
    def test_watch(self):
        watcher = self.connect()
        watcher.call("subscribe")
        watcher.call("subscribe")  # one subscription is enough
        self.create_disk()
        self.create_target()
        self.call("set", path=TPG, attribute="attrib/authentication", value=1)
        self.call("delete", path=TARGET, recursive=True)
        seen = []
        while not seen or seen[-1][:2] != ("deleted", TARGET):
            event = watcher.event()
            self.assertEqual(set(event) & {"event", "kind", "path", "time"}, {"event", "kind", "path", "time"})
            seen.append((event["event"], event["path"], event.get("state"), event.get("enabled")))
        self.assertEqual(seen[0], ("created", "user_0/t_disk", "configured", False))
        self.assertIn(("changed", "user_0/t_disk", "served", True), seen)
        self.assertEqual(seen.count(("created", TPG, None, False)), 1)
        self.assertIn(("changed", TPG, None, True), seen)
        self.assertIn(("deleted", TPG, None, None), seen)

    def test_half_closed(self):
        """A client that has closed its side still gets its answers, and events if it has subscribed."""
        asker, watcher = self.connect(), self.connect()
        wanted = asker.send("status")
        asker.socket.shutdown(1)
        asker.answer(wanted)
        self.assertIsNone(asker.read_line())
        watcher.send("subscribe")
        watcher.socket.shutdown(1)
        watcher.answer(1)
        self.create_disk()
        self.assertEqual(watcher.event()["path"], "user_0/t_disk")


if __name__ == "__main__":
    main()
