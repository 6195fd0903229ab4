# SPDX-License-Identifier: Apache-2.0
"""Sessions: what the daemon shows about them, and how kick, drain, disable and delete end them."""
import signal
import threading
import time

from control_case import TARGET, TPG, ControlCase, main
import cdb
import iscsi_pdu as pdu
from initiator import Chap, LoginError, Session

INITIATOR = "iqn.2026-11.com.example:initiator"


class Sessions(ControlCase):
    def setUp(self):
        super().setUp()
        self.create_disk()
        self.create_target()
        self.call("set", path=TPG, attribute="attrib/generate_node_acls", value=1)
        self.call("set", path=TPG, attribute="attrib/demo_mode_write_protect", value=0)
        self.call("map", path=TARGET, storage="t_disk")
        self.call("create", path=f"{TPG}/127.0.0.1:{self.daemon.address[1]}")

    def session(self, initiator=INITIATOR):
        session = Session(self.daemon.address, TARGET, initiator=initiator, timeout=60)
        self.addCleanup(session.connection.close)
        session.execute(cdb.TEST_UNIT_READY)
        return session

    def sessions(self, path=TARGET):
        return self.call("sessions", path=path)["sessions"]

    def assert_ended(self, session):
        """The target asks for a logout or closes the connection, and the session disappears from the list."""
        watcher = self.connect()
        watcher.call("subscribe")
        tsih = session.tsih
        while any(other["tsih"] == tsih for other in self.sessions("/")):
            watcher.call("status")

    def test_list(self):
        session = self.session()
        shown, = self.sessions()
        self.assertEqual(shown["initiator"], INITIATOR)
        self.assertEqual((shown["target"], shown["tag"]), (TARGET, 1))
        self.assertEqual(shown["isid"], session.isid.hex())
        self.assertEqual(shown["tsih"], session.tsih)
        self.assertEqual(shown["id"], f"0x{session.isid.hex()}{session.tsih:04x}")
        self.assertEqual(shown["local"], f"127.0.0.1:{self.daemon.address[1]}")
        self.assertRegex(shown["peer"], r"^127\.0\.0\.1:\d+$")
        self.assertGreaterEqual(shown["commands"], 1)
        self.assertIs(shown["discovery"], False)
        self.assertEqual(shown["parameters"]["HeaderDigest"], "None")
        self.assertEqual(self.sessions(TPG), [shown | {key: self.sessions(TPG)[0][key] for key in ("age",)}])
        self.assertEqual(self.call("status")["sessions"], 1)

    def test_other_targets(self):
        self.session()
        other = next(child["path"] for child in self.call("list", depth=1)["children"]
                     if child["kind"] == "target" and child["path"] != TARGET)
        self.assertEqual(self.sessions(other), [])
        self.refused("EINVAL", "sessions", path="t_disk")
        self.refused("ENOENT", "sessions", path="iqn.2026-11.com.example:stranger")

    def test_kick(self):
        kicked, other = self.session(), self.session(INITIATOR + "2")
        self.call("kick", tsih=kicked.tsih)
        self.assert_ended(kicked)
        self.assertEqual([session["tsih"] for session in self.sessions()], [other.tsih])
        other.good(cdb.TEST_UNIT_READY)
        self.assertTrue(self.refused("ENOENT", "kick", tsih=kicked.tsih).no_object)
        self.refused("ENOENT", "kick", tsih=70000)

    def test_cache_dynamic_acls(self):
        """The TPG keeps the values of an initiator without an ACL after its session has ended, until the initiator gets an
        ACL."""
        def window(expected):
            session = self.session()
            self.assertEqual(session.maxcmdsn - session.cmdsn + 1, expected)
            return session

        def shown():
            return self.call("get", path=TPG, attribute="dynamic_sessions")["value"]

        self.call("set", path=TPG, attribute="attrib/default_cmdsn_depth", value=7)
        self.log_out_and_wait(window(7))
        self.assertEqual(shown(), "")
        self.call("set", path=TPG, attribute="attrib/cache_dynamic_acls", value=1)
        self.log_out_and_wait(window(7))
        self.assertEqual(shown(), INITIATOR)
        self.call("set", path=TPG, attribute="attrib/default_cmdsn_depth", value=9)
        self.call("set", path=TPG, attribute="attrib/generate_node_acls", value=0)
        self.log_out_and_wait(window(7))
        with self.assertRaises(LoginError):
            self.session(INITIATOR + "2")
        self.call("create", path=f"{TPG}/{INITIATOR}")
        self.assertEqual(shown(), "")
        self.assertEqual(self.call("get", path=f"{TPG}/{INITIATOR}", attribute="cmdsn_depth")["value"], 7)
        self.call("delete", path=f"{TPG}/{INITIATOR}")
        with self.assertRaises(LoginError):
            self.session()

    def log_out_and_wait(self, session):
        session.logout()
        session.connection.close()
        self.assert_ended(session)

    def test_dataout_timeout(self):
        """At error recovery level 0, an initiator that does not send what an R2T asks for loses its connection."""
        acl = f"{TPG}/{INITIATOR}"
        self.call("create", path=acl)
        self.call("map", path=TARGET, storage="t_disk", initiator=INITIATOR)
        self.call("set", path=acl, attribute="attrib/dataout_timeout", value=2)
        session, other = self.session(), self.session(INITIATOR + "2")
        write = session.start(cdb.write10(0, 8), out=bytes(4096), manual=True)
        other.start(cdb.write10(0, 8), out=bytes(4096), manual=True)
        # Each PDU that arrives in time keeps the connection.
        r2t = session.receive()
        for number in range(4):
            time.sleep(1)
            session.connection.send(pdu.data_out(write.itt, r2t.ttt, number, number * 512, bytes(512), False,
                                                 session.expstatsn))
        begin = time.monotonic()
        self.assertTrue(session.connection.wait_closed())
        self.assertGreaterEqual(time.monotonic() - begin, 1.5)
        self.wait_log("the Data-Out of a command did not arrive within dataout_timeout")
        self.assertEqual([left["tsih"] for left in self.sessions()], [other.tsih])

    def test_dataout_timeout_does_not_count_a_pause(self):
        """Data that arrives while the daemon is stopped, or its machine is paused, has arrived in time."""
        acl, size = f"{TPG}/{INITIATOR}", 1 << 19
        self.create_disk("t_large", size=8 * size)
        self.call("create", path=acl)
        self.call("map", path=TARGET, storage="t_large", initiator=INITIATOR)
        self.call("set", path=acl, attribute="attrib/dataout_timeout", value=2)
        session = self.session()
        writes = [session.start(cdb.write10(i * size // 512, size // 512), out=bytes(size), manual=True)
                  for i in range(8)]
        for _ in writes:
            session.receive()
        time.sleep(0.5)
        self.daemon.process.send_signal(signal.SIGSTOP)
        try:
            # More data than the daemon reads at once, and for some of the commands none of it.
            sender = threading.Thread(target=lambda: [session.answer_r2t(write, write.r2ts.pop(0)) for write in writes])
            sender.start()
            time.sleep(3)
        finally:
            self.daemon.process.send_signal(signal.SIGCONT)
        sender.join()
        for write in writes:
            write.manual = False
        for write in writes:
            self.assertEqual(session.finish(write).status, cdb.GOOD)

    def test_drain(self):
        session = self.session()
        self.assertEqual(self.call("drain", path=TARGET)["disabled"], [TPG])
        self.assert_ended(session)
        self.call("enable", path=TARGET)
        self.session().good(cdb.TEST_UNIT_READY)

    def test_access_is_restricted_during_a_login(self):
        """The change counts for a login that has begun and not ended: the initiator must log in again."""
        self.call("set", path=TPG, attribute="auth/userid", value="user")
        for attribute, value, undo, chap in (
                ("attrib/denied_addresses", "127.0.0.1", "", None),
                ("attrib/generate_node_acls", 0, 1, None),
                ("attrib/authentication", 1, 0, None),
                ("auth/password", "another-secret", "secret-of-user", Chap("user", "secret-of-user"))):
            self.call("set", path=TPG, attribute="auth/password", value="secret-of-user" if chap else "")
            session = Session(self.daemon.address, TARGET, initiator=INITIATOR, chap=chap, login=False)
            self.addCleanup(session.connection.close)
            if chap:
                session.security(session.names())
            else:
                session.login_step(session.names(), 1)
            self.call("set", path=TPG, attribute=attribute, value=value)
            with self.assertRaises(LoginError) as refused:
                session.login_step(session.asked, 1, 3)
            self.assertEqual(refused.exception.status, 0x0301, attribute)
            self.call("set", path=TPG, attribute=attribute, value=undo)
        self.session().good(cdb.TEST_UNIT_READY)

    def test_tcmuctl(self):
        session = self.session()
        text = self.tcmuctl("sessions", TARGET)
        for word in (INITIATOR, f"{TARGET}/tpgt_1", "127.0.0.1:", f"TSIH {session.tsih}, ISID {session.isid.hex()}",
                     "commands", "HeaderDigest=None"):
            self.assertIn(word, text)
        shown, = self.tcmuctl_json("sessions")["services"][0]["sessions"]
        tid = [line for line in self.tcmuctl("show").splitlines() if TARGET in line][0].split()[0].removeprefix("tid=")
        lines = self.tcmuctl("show", "--tid", tid, "--sid", shown["id"]).splitlines()
        keys = dict(line.split("=", 1) for line in lines)
        self.assertEqual(keys, shown["parameters"])
        by_number = self.tcmuctl("show", "--tid", tid, "--sid", str(int(shown["id"], 16)))
        self.assertIn("MaxBurstLength=262144", by_number)
        self.tcmuctl("show", "--tid", tid, "--sid", "0x1", status=4)
        self.assertIn(f"the session {session.tsih} of {INITIATOR} ends", self.tcmuctl("kick", INITIATOR))
        self.assert_ended(session)
        self.tcmuctl("kick", INITIATOR, status=4)
        again = self.session()
        self.tcmuctl("kick", str(again.tsih))
        self.assert_ended(again)
        last = self.session()
        self.assertIn(f"tcmuctl enable {TPG}", self.tcmuctl("drain", TARGET))
        self.assert_ended(last)


if __name__ == "__main__":
    main()
