#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""first_block.py ADDRESS:PORT TARGET LUN [TEXT]: logs in, writes TEXT into the first block if it is given, and prints
the text that the first block contains."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "iscsi"))
import cdb  # noqa: E402
from initiator import Session  # noqa: E402


def main(portal, target, lun, text=None):
    host, _, port = portal.rpartition(":")
    lun = int(lun)
    with Session((host, int(port)), target) as session:
        session.execute(cdb.TEST_UNIT_READY, lun=lun)  # may report a unit attention
        if text:
            session.good(cdb.write10(0, 1), text.encode().ljust(512, b"\0"), lun=lun)
        print(session.good(cdb.read10(0, 1), length=512, lun=lun).rstrip(b"\0").decode())


main(*sys.argv[1:])
