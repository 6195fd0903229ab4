# SPDX-License-Identifier: Apache-2.0
"""saveconfig_part.py FIRST SECOND [KEY...]: checks that everything in the saveconfig.json FIRST is in SECOND, too, with
the same values. The order of lists does not matter. Each KEY at the top of FIRST is left out."""
import json
import sys

NAMES = ("wwn", "node_wwn", "tag", "index", "name", "ip_address")  # the first one that an entry has is its name


def name_of(entry):
    return next((key, entry[key]) for key in NAMES if key in entry) if isinstance(entry, dict) else entry


def compare(place, first, second):
    """Prints each difference, and returns their number."""
    if isinstance(first, dict) and isinstance(second, dict):
        missing = [key for key in first if key not in second]
        for key in missing:
            print(f"{place}.{key}: {first[key]!r} is missing")
        return len(missing) + sum(compare(f"{place}.{key}", first[key], second[key]) for key in first if key in second)
    if isinstance(first, list) and isinstance(second, list):
        others = {str(name_of(entry)): entry for entry in second}
        return sum(compare(f"{place}[{name_of(entry)}]", entry, others.get(str(name_of(entry)))) for entry in first)
    if first != second:
        print(f"{place}: {first!r}, then {second!r}")
    return int(first != second)


with open(sys.argv[1], encoding="utf-8") as one, open(sys.argv[2], encoding="utf-8") as two:
    before, after = json.load(one), json.load(two)
for left_out in sys.argv[3:]:
    before.pop(left_out, None)
sys.exit(1 if compare("", before, after) else 0)
