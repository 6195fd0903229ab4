# SPDX-License-Identifier: Apache-2.0
"""lio_attributes.py TREE:PORT:FILE TREE:PORT:FILE: makes the same configuration in the tree of the kernel's LIO and in
that of the daemon, takes the same steps as a raw initiator with both, and prints what both answer. It fails if an answer
differs and DIFFERENCES does not have a reason for it."""
import errno
import os
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "../iscsi"))
# pylint: disable=wrong-import-position
import cdb
import iscsi_pdu as p
from daemon import lun_numbers
from initiator import Chap, LoginError, Session

ALICE, BOB = "iqn.2026-11.com.example:alice", "iqn.2026-11.com.example:bob"
CHAP = ("someone", "a-secret-of-16-b")
# LIO proposes these keys if the initiator does not, and then waits for its answers.
KEYS = {"HeaderDigest": "None", "DataDigest": "None", "DefaultTime2Wait": "2", "DefaultTime2Retain": "20",
        "ErrorRecoveryLevel": "0", "MaxConnections": "1"}
# The differences that docs/tree.md and docs/control-socket.md describe: the reasons, and the steps that show them.
REASONS = {
    "dynamic_sessions also has the remembered initiators": ["cache_dynamic_acls: dynamic_sessions after logout"],
    "an initiator that may use no target is refused": ["cache_dynamic_acls: an unknown initiator discovers"],
    "demo_mode_write_protect applies at once, and to remembered initiators": [
        "cache_dynamic_acls: WRITE after demo_mode_write_protect=1", "cache_dynamic_acls: WRITE after the next login",
        "write_protect: demo_mode_write_protect=0, same session", "write_protect: demo_mode_write_protect=0, next session"],
    "with an ACL, an initiator sees only the LUNs of the ACL": [
        "cache_dynamic_acls: LUNs with an ACL without LUNs", "cache_dynamic_acls: LUNs with LUN 1 mapped",
        "acl_for_live: LUNs before LUN 1 is mapped", "acl_for_live: LUNs with LUN 1 mapped",
        "acl_for_live: LUNs after the next login", "write_protect: write_protect for a former dynamic initiator"],
    "generate_node_acls does not set cache_dynamic_acls": [
        "cache_set_to_0: the value after generate_node_acls=0", "cache_not_set: login after generate_node_acls=0",
        "cache_not_set: generate_node_acls=1 sets cache_dynamic_acls to"],
    "cache_dynamic_acls=0 forgets at once": ["cache_set_to_0: login after both are 0"],
    "an ACL without a cmdsn_depth of its own follows the TPG": ["depth: cmdsn_depth after a new default"],
    "the range of cmdsn_depth is 1 to 4096": [
        "depth: default_cmdsn_depth=513", "depth: cmdsn_depth=0", "depth: cmdsn_depth=513", "depth: window at the end"],
    "cmdsn_depth does not end sessions": ["depth: the session afterwards"],
    "authentication of a new TPG is 0": ["values: authentication"],
    "CHAP stays possible for an ACL with authentication=0": [
        "authentication: TPG 1, ACL 0, with CHAP", "authentication: TPG 1, ACL 0, wrong secret"],
    "more values are accepted": ["values: generate_node_acls=y", "values: nopin_timeout=2"],
    "LIO ignores login_timeout": ["time_limits: login_timeout=6 closes"],
}
DIFFERENCES = {label: reason for reason, labels in REASONS.items() for label in labels}


class Side:
    """One of the two trees, with a target for each scenario."""

    def __init__(self, root, port, file):
        self.root, self.address = root, ("127.0.0.1", int(port))
        self.results, self.target = [], None
        self.disk = f"{root}/core/fileio_0/disk"
        os.makedirs(self.disk)
        self.write(f"{self.disk}/control", f"fd_dev_name={file},fd_dev_size={16 << 20}")
        self.write(f"{self.disk}/enable", 1)

    def note(self, label, value):
        self.results.append((f"{self.scenario}: {label}", str(value)))

    def write(self, path, value):
        """Returns ok, or the name of the error."""
        try:
            fd = os.open(path, os.O_WRONLY)
            try:
                os.write(fd, str(value).encode())  # LIO would take a line feed as a part of the accounts
            finally:
                os.close(fd)
            return "ok"
        except OSError as error:
            return errno.errorcode[error.errno]

    def begin(self, name, luns=(0,), **attributes):
        self.scenario, self.target = name, f"iqn.2026-11.com.example:{name.replace('_', '-')}"
        self.tpg = f"{self.root}/iscsi/{self.target}/tpgt_1"
        os.makedirs(self.tpg)
        os.mkdir(f"{self.tpg}/np/127.0.0.1:{self.address[1]}")
        for lun in luns:
            os.mkdir(f"{self.tpg}/lun/lun_{lun}")
            os.symlink(self.disk, f"{self.tpg}/lun/lun_{lun}/link")
        self.set(**{"authentication": 0} | attributes)
        if os.path.exists(f"{self.tpg}/attrib/reveal_target"):
            self.set(reveal_target=1)  # LIO always reveals that a target exists
        self.write(f"{self.tpg}/enable", 1)

    def set(self, **attributes):
        for name, value in attributes.items():
            result = self.write(f"{self.tpg}/attrib/{name}", value)
            if result != "ok":
                self.note(f"{name}={value}", result)

    def get(self, name):
        with open(f"{self.tpg}/{name}", "rb") as file:
            return file.read().decode().rstrip("\0\n")

    def acl(self, initiator):
        return f"{self.tpg}/acls/{initiator}"

    def make_acl(self, initiator, *luns):
        try:
            os.mkdir(self.acl(initiator))
            for lun in luns:
                self.map(initiator, lun)
            return "ok"
        except OSError as error:
            return errno.errorcode[error.errno]

    def map(self, initiator, lun, to=None):
        try:
            os.mkdir(f"{self.acl(initiator)}/lun_{lun}")
            os.symlink(f"{self.tpg}/lun/lun_{lun if to is None else to}", f"{self.acl(initiator)}/lun_{lun}/link")
            return "ok"
        except OSError as error:
            return errno.errorcode[error.errno]

    def remove_acl(self, initiator):
        try:
            for name in os.listdir(self.acl(initiator)):
                if name.startswith("lun_"):
                    os.unlink(f"{self.acl(initiator)}/{name}/link")
                    os.rmdir(f"{self.acl(initiator)}/{name}")
            os.rmdir(self.acl(initiator))
            return "ok"
        except OSError as error:
            return errno.errorcode[error.errno]

    # Sessions

    def log_in(self, initiator=ALICE, **options):
        return Session(self.address, self.target, initiator, KEYS, timeout=20, **options)

    def try_login(self, initiator=ALICE, **options):
        """Returns the status of the login, after which the session ends."""
        try:
            session = self.log_in(initiator, **options)
        except LoginError as error:
            return f"status {error.status:04x}"
        except (EOFError, AssertionError) as error:
            return type(error).__name__
        end(session)
        return "logged in"

    def discover(self, initiator=ALICE, what=None):
        """Returns the portals of the target."""
        try:
            with Session(self.address, None, initiator, KEYS, timeout=20) as session:
                found = session.text({"SendTargets": what or self.target})
                session.logout()
        except LoginError as error:
            return f"status {error.status:04x}"
        mine, shown = False, []
        for key, value in found:
            if key == "TargetName":
                mine = value == self.target
            if mine:
                shown.append(f"{key}={value.replace(self.target, 'TARGET').replace(str(self.address[1]), 'PORT')}")
        return " ".join(shown) or "nothing"


def end(session):
    try:
        session.logout()
    except (EOFError, OSError):
        pass
    session.connection.close()
    time.sleep(1)  # LIO ends a session after it has answered.


def log_in_again(side, session):
    end(session)
    return side.log_in()


def until_ready(session, lun):
    for _ in range(4):
        task = session.execute(cdb.TEST_UNIT_READY, lun=lun)
        if task.status == 0:
            break
    return task


def answer(task):
    sense = "/".join(f"{part:02x}" for part in task.key or ())
    return "good" if task.status == 0 else f"status {task.status:02x} sense {sense}"


def luns(session):
    try:
        return sorted(lun_numbers(session))
    except (EOFError, OSError) as error:
        return type(error).__name__


def access(session, lun=0):
    """Returns what a READ and a WRITE of a block answer."""
    until_ready(session, lun)
    read = session.execute(cdb.read10(0, 1), length=512, lun=lun)
    write = session.execute(cdb.write10(0, 1), bytes(512), lun=lun)
    return f"READ {answer(read)}, WRITE {answer(write)}"


def window(session):
    """Returns the size of the window after a command, because LIO's answers to a login have a window of one command."""
    until_ready(session, 0)
    return (session.maxcmdsn - session.cmdsn + 1) & 0xFFFFFFFF


# Scenarios

def cache_dynamic_acls(side):
    side.begin("cache_dynamic_acls", (0, 1), generate_node_acls=1, cache_dynamic_acls=1, default_cmdsn_depth=16,
               demo_mode_write_protect=0)
    session = side.log_in()
    side.note("LUNs of the dynamic ACL", luns(session))
    side.note("dynamic_sessions while logged in", repr(side.get("dynamic_sessions")))
    side.note("acls", os.listdir(f"{side.tpg}/acls"))
    end(session)
    side.note("dynamic_sessions after logout", repr(side.get("dynamic_sessions")))
    side.set(generate_node_acls=0)
    side.note("generate_node_acls=0 leaves", side.get("attrib/cache_dynamic_acls"))
    side.note("the known initiator after generate_node_acls=0", side.try_login())
    side.note("an unknown initiator", side.try_login(BOB))
    side.set(demo_mode_discovery=0)
    side.note("the known initiator discovers", side.discover())
    side.note("an unknown initiator discovers", side.discover(BOB))
    side.set(default_cmdsn_depth=32)
    session = side.log_in()
    side.note("window after a new default", window(session))
    side.note("LUNs without generate_node_acls", luns(session))
    side.note("WRITE without generate_node_acls", access(session))
    side.set(demo_mode_write_protect=1)
    side.note("WRITE after demo_mode_write_protect=1", access(session))
    session = log_in_again(side, session)
    side.note("WRITE after the next login", access(session))
    end(session)
    side.note("ACL for the remembered initiator", side.make_acl(ALICE))
    side.note("cmdsn_depth of that ACL", side.get(f"acls/{ALICE}/cmdsn_depth"))
    side.note("dynamic_sessions with the ACL", repr(side.get("dynamic_sessions")))
    session = side.log_in()
    side.note("LUNs with an ACL without LUNs", luns(session))
    end(session)
    side.note("map LUN 1", side.map(ALICE, 1))
    session = side.log_in()
    side.note("LUNs with LUN 1 mapped", luns(session))
    end(session)
    side.note("remove that ACL", side.remove_acl(ALICE))
    side.note("login after the ACL was removed", side.try_login())


def cache_set_to_0(side):
    side.begin("cache_set_to_0", generate_node_acls=1, cache_dynamic_acls=1)
    side.note("login", side.try_login())
    side.note("cache_dynamic_acls=0", side.write(f"{side.tpg}/attrib/cache_dynamic_acls", 0))
    side.set(generate_node_acls=0)
    side.note("the value after generate_node_acls=0", side.get("attrib/cache_dynamic_acls"))
    side.note("cache_dynamic_acls=0 again", side.write(f"{side.tpg}/attrib/cache_dynamic_acls", 0))
    side.note("login after both are 0", side.try_login())
    side.note("login again", side.try_login())


def cache_live(side):
    side.begin("cache_live", generate_node_acls=1, cache_dynamic_acls=1)
    session = side.log_in()
    side.set(generate_node_acls=0, cache_dynamic_acls=0)
    side.note("LUNs after both are 0", luns(session))
    end(session)
    side.note("login afterwards", side.try_login())


def cache_not_set(side):
    side.begin("cache_not_set")
    side.set(generate_node_acls=1)
    side.note("generate_node_acls=1 sets cache_dynamic_acls to", side.get("attrib/cache_dynamic_acls"))
    side.note("login", side.try_login())
    side.set(generate_node_acls=0)
    side.note("login after generate_node_acls=0", side.try_login())


def acl_for_live(side):
    side.begin("acl_for_live", (0, 1), generate_node_acls=1, cache_dynamic_acls=1)
    session = side.log_in()
    side.note("ACL with LUN 1 for a logged-in initiator", side.make_acl(ALICE))
    side.note("LUNs before LUN 1 is mapped", luns(session))
    side.note("map LUN 1", side.map(ALICE, 1))
    time.sleep(1)
    side.note("LUNs with LUN 1 mapped", luns(session))
    side.note("dynamic_sessions", repr(side.get("dynamic_sessions")))
    session = log_in_again(side, session)
    side.note("LUNs after the next login", luns(session))
    end(session)


def discovery(side):
    side.begin("discovery")
    side.note("defaults, no ACL", side.discover())
    side.note("defaults, no ACL, All", side.discover(what="All"))
    side.note("login", side.try_login())
    side.set(demo_mode_discovery=0)
    side.note("demo_mode_discovery=0, no ACL", side.discover())
    side.set(generate_node_acls=1)
    side.note("demo_mode_discovery=0, generate_node_acls=1", side.discover())
    side.set(generate_node_acls=0, cache_dynamic_acls=0)
    side.make_acl(BOB, 0)
    side.note("demo_mode_discovery=0, the ACL's initiator", side.discover(BOB))
    side.note("demo_mode_discovery=0, another initiator", side.discover())
    side.note("demo_mode_discovery=0, another initiator, All", side.discover(what="All"))
    side.note("disable", side.write(f"{side.tpg}/enable", 0))
    side.note("disabled", side.discover(BOB))
    side.note("login to the disabled TPG", side.try_login(BOB))
    side.set(tpg_enabled_sendtargets=0)
    side.note("disabled, tpg_enabled_sendtargets=0", side.discover(BOB))
    side.note("disabled, tpg_enabled_sendtargets=0, another initiator", side.discover())
    side.set(demo_mode_discovery=1)
    side.note("disabled, tpg_enabled_sendtargets=0, demo_mode_discovery=1", side.discover())
    side.write(f"{side.tpg}/enable", 1)
    side.note("enabled again", side.discover())


def write_protect(side):
    side.begin("write_protect", (0, 1), generate_node_acls=1)
    session = side.log_in()
    side.note("default", access(session))
    side.set(demo_mode_write_protect=0)
    side.note("demo_mode_write_protect=0, same session", access(session))
    session = log_in_again(side, session)
    side.note("demo_mode_write_protect=0, next session", access(session))
    end(session)
    side.set(prod_mode_write_protect=1)
    side.make_acl(BOB, 0)
    side.note("write_protect with prod_mode_write_protect=1", side.get(f"acls/{BOB}/lun_0/write_protect"))
    session = side.log_in(BOB)
    side.note("prod_mode_write_protect=1", access(session))
    side.write(f"{side.acl(BOB)}/lun_0/write_protect", 0)
    side.note("write_protect=0", access(session))
    side.write(f"{side.acl(BOB)}/lun_0/write_protect", 1)
    side.note("write_protect=1", access(session))
    end(session)
    session = side.log_in("iqn.2026-11.com.example:carol")
    side.note("prod_mode_write_protect=1 without an ACL", access(session))
    end(session)
    side.set(prod_mode_write_protect=0)
    side.note("write_protect after prod_mode_write_protect=0", side.get(f"acls/{BOB}/lun_0/write_protect"))
    side.map(BOB, 1)
    side.note("write_protect of a new LUN", side.get(f"acls/{BOB}/lun_1/write_protect"))
    os.mkdir(side.acl(ALICE))
    side.map(ALICE, 0)
    side.note("write_protect for a former dynamic initiator", side.get(f"acls/{ALICE}/lun_0/write_protect"))


def depth(side):
    side.begin("depth", generate_node_acls=1)
    with side.log_in() as session:
        side.note("default window", window(session))
        end(session)
    for value in (0, 1, 513, 512, 20):
        side.note(f"default_cmdsn_depth={value}", side.write(f"{side.tpg}/attrib/default_cmdsn_depth", value))
    side.make_acl(BOB, 0)
    side.note("cmdsn_depth of a new ACL", side.get(f"acls/{BOB}/cmdsn_depth"))
    session = side.log_in(BOB)
    side.note("window of the ACL", window(session))
    end(session)
    side.set(default_cmdsn_depth=24)
    side.note("cmdsn_depth after a new default", side.get(f"acls/{BOB}/cmdsn_depth"))
    side.note("cmdsn_depth=8", side.write(f"{side.acl(BOB)}/cmdsn_depth", 8))
    session = side.log_in(BOB)
    side.note("window after cmdsn_depth=8", window(session))
    side.note("cmdsn_depth=4 while logged in", side.write(f"{side.acl(BOB)}/cmdsn_depth", 4))
    side.note("the session afterwards", luns(session))
    end(session)
    side.note("cmdsn_depth", side.get(f"acls/{BOB}/cmdsn_depth"))
    for value in (0, 513):
        side.note(f"cmdsn_depth={value}", side.write(f"{side.acl(BOB)}/cmdsn_depth", value))
    session = side.log_in(BOB)
    side.note("window at the end", window(session))
    end(session)


def authentication(side):
    def logins(when, initiator):
        side.note(f"{when}, without CHAP", side.try_login(initiator))
        side.note(f"{when}, with CHAP", side.try_login(initiator, chap=Chap(*CHAP)))
        side.note(f"{when}, wrong secret", side.try_login(initiator, chap=Chap(CHAP[0], "another-secret-16")))

    side.begin("authentication", generate_node_acls=1, authentication=1)
    side.note("authentication=1, no account", side.try_login(chap=Chap(*CHAP)))
    side.write(f"{side.tpg}/auth/userid", CHAP[0])
    side.write(f"{side.tpg}/auth/password", CHAP[1])
    logins("authentication=1, no ACL", ALICE)
    side.make_acl(BOB, 0)
    side.note("authentication=1, ACL without account", side.try_login(BOB, chap=Chap(*CHAP)))
    side.write(f"{side.acl(BOB)}/auth/userid", CHAP[0])
    side.write(f"{side.acl(BOB)}/auth/password", CHAP[1])
    side.note("authentication of an ACL", side.get(f"acls/{BOB}/attrib/authentication"))
    logins("TPG 1, ACL -1", BOB)
    for value in (0, 1):
        side.note(f"ACL authentication={value}", side.write(f"{side.acl(BOB)}/attrib/authentication", value))
        side.note("the value", side.get(f"acls/{BOB}/attrib/authentication"))
        logins(f"TPG 1, ACL {value}", BOB)
    side.set(authentication=0)
    logins("TPG 0, ACL 1", BOB)
    side.note("ACL authentication=-1", side.write(f"{side.acl(BOB)}/attrib/authentication", -1))
    logins("TPG 0, ACL -1", BOB)
    side.note("ACL authentication=2", side.write(f"{side.acl(BOB)}/attrib/authentication", 2))


def values(side):
    """The default values, and the limits."""
    side.scenario = "values"
    side.target = "iqn.2026-11.com.example:values"
    side.tpg = f"{side.root}/iscsi/{side.target}/tpgt_1"
    os.makedirs(side.tpg)
    for name in ("authentication", "generate_node_acls", "demo_mode_write_protect", "prod_mode_write_protect",
                 "cache_dynamic_acls", "demo_mode_discovery", "tpg_enabled_sendtargets", "default_cmdsn_depth",
                 "login_timeout"):
        side.note(name, side.get(f"attrib/{name}"))
    for name, tried in (("login_timeout", (4, 5, 30, 31)), ("generate_node_acls", (2, "x", "y")),
                        ("demo_mode_discovery", (2,))):
        for value in tried:
            result = side.write(f"{side.tpg}/attrib/{name}", value)
            side.note(f"{name}={value}", f"{result}, then {side.get(f'attrib/{name}')}")
    side.make_acl(BOB)
    for name, tried in (("dataout_timeout", (1, 2, 60, 61)), ("dataout_timeout_retries", (0, 1, 15, 16)),
                        ("nopin_timeout", (0, 2, 3, 60, 61)), ("nopin_response_timeout", (2, 3, 60, 61))):
        side.note(name, side.get(f"acls/{BOB}/attrib/{name}"))
        for value in tried:
            result = side.write(f"{side.acl(BOB)}/attrib/{name}", value)
            side.note(f"{name}={value}", f"{result}, then {side.get(f'acls/{BOB}/attrib/{name}')}")


def shown(side):
    side.begin("shown")
    side.make_acl(BOB, 0)
    side.note("info without a session", repr(side.get(f"acls/{BOB}/info")))
    for name in sorted(os.listdir(f"{side.acl(BOB)}/param")):
        side.note(f"param/{name} without a session", side.get(f"acls/{BOB}/param/{name}"))
    session = side.log_in(BOB)
    # Between these lines, each side has values of its own.
    for line in side.get(f"acls/{BOB}/info").split("\n"):
        fields = line.replace("Session ID:", "ID:").split()
        if fields and fields[0] in ("InitiatorName:", "InitiatorAlias:", "Session", "CID:"):
            side.note("info", " ".join(fields))
        elif fields and fields[0] in ("LIO", "Address"):
            side.note("info", " ".join(field for field in fields if field.isalpha() or field.endswith("ID:")))
    for name in sorted(os.listdir(f"{side.acl(BOB)}/param")):
        side.note(f"param/{name}", side.get(f"acls/{BOB}/param/{name}"))
    side.note("dynamic_sessions", repr(side.get("dynamic_sessions")))
    end(session)


def closes(connection, least, most):
    """Returns when the target closes the connection: within the limits, earlier or later."""
    begin = time.monotonic()
    closed = connection.wait_closed(most)
    took = time.monotonic() - begin
    print(f"    closed: {closed}, after {took:.1f} s", flush=True)
    return f"after more than {most} s" if not closed else f"within {least} to {most} s" if took >= least else "too early"


def time_limits(side):
    side.begin("time_limits", login_timeout=6)
    side.make_acl(ALICE, 0)
    session = side.log_in(login=False)
    session.login_step(session.names(), 1)
    side.note("login_timeout=6 closes", closes(session.connection, 5, 12))
    session.connection.close()
    acl = f"{side.acl(ALICE)}/attrib"
    for name, value in (("nopin_timeout", 3), ("nopin_response_timeout", 4), ("dataout_timeout", 4)):
        side.note(f"{name}={value}", side.write(f"{acl}/{name}", value))
    session = side.log_in()
    until_ready(session, 0)
    begin = time.monotonic()
    pdu = session.connection.recv(10)
    took = time.monotonic() - begin
    side.note("NOP-In", f"opcode {pdu.opcode:02x} {'after 2 to 6 s' if 2 <= took <= 6 else f'after {took:.1f} s'}")
    side.note("without an answer the connection closes", closes(session.connection, 3, 8))
    session.connection.close()
    time.sleep(1)
    side.write(f"{acl}/nopin_timeout", 0)
    session = side.log_in()
    until_ready(session, 0)
    session.start(cdb.write10(0, 256), bytes(131072), manual=True)
    side.note("without Data-Out the connection closes", closes(session.connection, 3, 8))
    session.connection.close()
    time.sleep(1)
    session = side.log_in()
    until_ready(session, 0)
    try:
        session.connection.recv(8)
        side.note("nopin_timeout=0", "a PDU came")
    except TimeoutError:
        side.note("nopin_timeout=0", "no NOP-In")
    end(session)


SCENARIOS = (cache_dynamic_acls, cache_set_to_0, cache_live, cache_not_set, acl_for_live, discovery, write_protect, depth,
             authentication, values, shown, time_limits)


def run(side):
    for scenario in SCENARIOS:
        try:
            scenario(side)
        except Exception as error:  # pylint: disable=broad-except
            line = error.__traceback__
            while line.tb_next:
                line = line.tb_next
            side.note("ends with", f"{error!r} at {line.tb_frame.f_code.co_name}:{line.tb_lineno}")


def main():
    sides = [Side(*argument.split(":")) for argument in sys.argv[1:]]
    threads = [threading.Thread(target=run, args=(side,)) for side in sides]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    kernel, daemon = (collect(side.results) for side in sides)
    failed, used = [], set()
    for label in dict.fromkeys([*kernel, *daemon]):
        pair = kernel.get(label, "-"), daemon.get(label, "-")
        if pair[0] == pair[1]:
            print(f"same      {label}: {pair[0]}")
            continue
        reason = DIFFERENCES.get(label)
        print(f"{'declared ' if reason else 'DIFFERENT'} {label}: LIO {pair[0]} | daemon {pair[1]} | {reason}")
        used.add(label)
        if not reason:
            failed.append(label)
    stale = set(DIFFERENCES) - used
    print(f"{len(failed)} undeclared differences; declared, but not found: {sorted(stale)}")
    sys.exit(bool(failed or stale))


def collect(results):
    found = {}
    for label, value in results:
        found[label] = f"{found[label]}; {value}" if label in found else value
    return found


if __name__ == "__main__":
    main()
