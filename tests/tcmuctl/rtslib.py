# SPDX-License-Identifier: Apache-2.0
"""rtslib.py FILE...: checks that rtslib-fb can restore each saveconfig.json. rtslib restores into the kernel, so
this program does not call its restore(). It compares the file with rtslib's classes: the arguments that they
accept, and the attributes that they have."""
import inspect
import json
import sys

from rtslib_fb.fabric import ISCSIFabricModule
from rtslib_fb.root import RTSRoot
from rtslib_fb.target import TPG, NodeACL
from rtslib_fb.tcm import so_mapping
from rtslib_fb.utils import normalize_wwn

ISCSI_NAMES = ("iqn", "naa", "eui")
UUID = "63ae2c1f-0000-4000-8000-000000000000"
# restore() handles these keys itself.
OF_TPG = {"luns", "portals", "node_acls", "tag", "attributes", "parameters", "enable"}
OF_ACL = {"attributes", "mapped_luns", "node_wwn"}


def check_object(storage_object):
    arguments = {key: value for key, value in storage_object.items() if key not in ("plugin", "attributes")}
    inspect.signature(so_mapping[storage_object["plugin"]].__init__).bind(None, **arguments)
    assert "/" in arguments["config"] and not set(arguments["config"]) & set(":, %"), arguments["config"]
    if arguments["wwn"] == UUID:
        normalize_wwn(("unit_serial",), arguments["wwn"])


def check_attributes(cls, values, but):
    for name in set(values) - but:
        assert isinstance(getattr(cls, name, None), property), f"{cls.__name__} has no attribute {name}"


def check_tpg(tpg, objects):
    check_attributes(TPG, tpg, OF_TPG)
    indexes = {lun["index"] for lun in tpg["luns"]}
    for lun in tpg["luns"]:
        plugin, name = lun["storage_object"].split("/")[2:]
        assert (plugin, name) in objects, lun
    for acl in tpg["node_acls"]:
        check_attributes(NodeACL, acl, OF_ACL)
        normalize_wwn(ISCSI_NAMES, acl["node_wwn"])
        assert {lun["tpg_lun"] for lun in acl["mapped_luns"]} <= indexes, acl
    for portal in tpg["portals"]:
        assert portal["ip_address"] and portal["port"] == 3260, portal


def own_settings(config, target, tpg):
    return config["tcmu_runner"]["targets"].get(target, {}).get("tpgs", {}).get(str(tpg["tag"]))


def check(config):
    # restore() must know the key of each part, except ours.
    source = inspect.getsource(RTSRoot.restore)
    assert all(key in source for key in config if key != "tcmu_runner"), config.keys()
    for storage_object in config["storage_objects"]:
        check_object(storage_object)
    objects = {(o["plugin"], o["name"]) for o in config["storage_objects"]}
    for module in config["fabric_modules"]:
        check_attributes(ISCSIFabricModule, module, {"name"})
    for target in config["targets"]:
        normalize_wwn(ISCSI_NAMES, target["wwn"])
        for tpg in target["tpgs"]:
            check_tpg(tpg, objects)
            # If a setting is needed that LIO does not have, LIO must not open the TPG.
            assert not own_settings(config, target["wwn"], tpg) or tpg["enable"] is False, target["wwn"]


for name in sys.argv[1:]:
    with open(name, encoding="utf-8") as file:
        check(json.loads(file.read().replace("@UUID@", UUID)))
print(f"rtslib understands {len(sys.argv) - 1} files")
