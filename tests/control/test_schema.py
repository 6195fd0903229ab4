# SPDX-License-Identifier: Apache-2.0
"""docs/control-socket.md must contain the methods and attributes of the schema. With --write, its tables are
written again."""
import os
import re
import sys
import textwrap
import unittest

from control_case import ControlCase
from control_socket import Control
from daemon import Daemon

DOCUMENT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../docs/control-socket.md")
BEGIN, END = "<!-- made from the schema: {} -->\n", "<!-- end -->\n"
KINDS = {"root": "The whole model", "storage": "Storage object", "tpg": "TPG", "portal": "Portal", "lun": "LUN",
         "acl": "ACL", "mapped_lun": "Mapped LUN"}
FLAGS = {"read_only": "read only", "before_use": "not while the object is in use", "not_saved": None,
         "next_login": "from the next login on", "not_in_lio": "not in LIO", "no_effect": None}


def cell(text):
    return str(text).replace("|", "\\|")


def methods(schema):
    for method in schema["methods"]:
        text = f"{method['help']}. The result has: {method['result']}."
        yield f"### {method['name']}\n\n{textwrap.fill(text, 115, break_on_hyphens=False)}\n\n"
        if method["params"]:
            yield "| parameter | type | meaning |\n|---|---|---|\n"
            for param in method["params"]:
                kind = param["type"] + (", required" if param["required"] else "")
                yield f"| `{param['name']}` | {kind} | {cell(param['help'])} |\n"
            yield "\n"


def range_of(attribute):
    if attribute["type"] == "number":
        unset = f", or {attribute['unset']}" if "unset" in attribute else ""
        return f"number, {attribute['min']} to {attribute['max']}{unset}"
    if "unset" in attribute:
        return f"true, false or {attribute['unset']}"
    if "choices" in attribute:
        return f"list of {attribute['choices']}"
    return {"yes_no": "Yes or No", "boolean": "true or false"}.get(attribute["type"], attribute["type"])


def attributes(schema):
    for kind, title in KINDS.items():
        rows = [item for item in schema["attributes"] if item["kind"] == kind]
        yield f"### {title}\n\n| attribute | type | default | meaning |\n|---|---|---|---|\n"
        for row in rows:
            remarks = [FLAGS[flag] for flag in row["flags"] if FLAGS[flag]]
            remark = f" ({', '.join(remarks)})" if remarks else ""
            default = f"`{cell(row['default'])}`" if row.get("default") else ""
            yield f"| `{row['name']}` | {range_of(row)} | {default} | {cell(row['help'])}{remark} |\n"
        yield "\n"


def fill(document, schema):
    for name, make in (("methods", methods), ("attributes", attributes)):
        begin = BEGIN.format(name)
        part = begin + "\n" + "".join(make(schema)) + END
        document = re.sub(re.escape(begin) + ".*?" + re.escape(END), lambda _, part=part: part, document, count=1,
                          flags=re.S)
    return document


class Document(ControlCase):
    def test_document(self):
        with open(DOCUMENT, encoding="utf-8") as file:
            document = file.read()
        self.assertEqual(document, fill(document, self.call("schema")), "run tests/control/test_schema.py --write")

    def test_schema(self):
        """Clients rely on these parts of the schema."""
        schema = self.call("schema")
        self.assertEqual({item["kind"] for item in schema["attributes"]}, set(KINDS))
        for method in schema["methods"]:
            self.assertRegex(method["help"], r"^[A-Z].*[^.]$", method["name"])
            self.assertEqual(set(method), {"name", "help", "changes", "params", "result"})
            for param in method["params"]:
                self.assertRegex(param["help"], r"^[A-Z].*[^.]$", f"{method['name']}: {param['name']}")
        for item in schema["attributes"]:
            self.assertTrue(item["help"].endswith("."), item["name"])
        names = [(item["kind"], item["name"]) for item in schema["attributes"]]
        self.assertEqual(len(names), len(set(names)))


def write():
    with Daemon(*ControlCase.args) as daemon, Control(daemon.socket) as control:
        schema = control.call("schema")
    with open(DOCUMENT, encoding="utf-8") as file:
        document = file.read()
    with open(DOCUMENT, "w", encoding="utf-8") as file:
        file.write(fill(document, schema))


if __name__ == "__main__":
    if sys.argv[1:] == ["--write"]:
        write()
    else:
        unittest.main()
