# SPDX-License-Identifier: Apache-2.0
"""Tests the login phase (RFC 7143 6, 11.12, 11.13, 13): keys in all forms, wrong logins, and peers that never log in."""
import os
import socket
import struct
import time

import iscsi_pdu as p
from case import DaemonCase, main
from daemon import IQN
from initiator import PATIENCE, Connection, LoginError, Session

INITIATOR_ERROR, NOT_FOUND, MISSING, SESSION_TYPE, NO_SESSION = 0x0200, 0x0203, 0x0207, 0x0209, 0x020A


class Keys(DaemonCase):
    def answers(self, **keys):
        session = self.session(keys={key: str(value) for key, value in keys.items()})
        session.logout()
        return session.answers

    def test_digest_choice(self):
        """The target chooses the first value in the initiator's list that it supports (6.2.1)."""
        for offer, choice in (("CRC32C", "CRC32C"), ("None", "None"), ("CRC32C,None", "CRC32C"),
                              ("None,CRC32C", "None"), ("X-com.example.sum,CRC32C", "CRC32C")):
            answers = self.answers(HeaderDigest=offer, DataDigest=offer)
            self.assertEqual((answers["HeaderDigest"], answers["DataDigest"]), (choice, choice))

    def test_boolean_functions(self):
        """InitialR2T is OR, ImmediateData is AND (13.10, 13.11)."""
        self.assertEqual(self.answers(InitialR2T="Yes")["InitialR2T"], "Yes")
        self.assertEqual(self.answers(ImmediateData="No")["ImmediateData"], "No")

    def test_minimum_functions(self):
        for key, low in (("MaxBurstLength", 512), ("FirstBurstLength", 512), ("MaxOutstandingR2T", 1),
                         ("DefaultTime2Retain", 0), ("ErrorRecoveryLevel", 0), ("MaxConnections", 1)):
            self.assertEqual(int(self.answers(**{key: low}).get(key, low)), low, key)

    def test_high_offers_are_lowered_not_refused(self):
        answers = self.answers(MaxBurstLength=16777215, FirstBurstLength=16777215, MaxOutstandingR2T=65535,
                               ErrorRecoveryLevel=2, MaxConnections=65535)
        self.assertEqual(answers["ErrorRecoveryLevel"], "0")
        self.assertEqual(answers["MaxConnections"], "1")
        self.assertLessEqual(int(answers["FirstBurstLength"]), int(answers["MaxBurstLength"]))

    def test_time2wait_is_maximum(self):
        self.assertGreaterEqual(int(self.answers(DefaultTime2Wait=7)["DefaultTime2Wait"]), 7)

    def test_hexadecimal_number(self):
        """Numerical values come in decimal or 0x form (6.1)."""
        self.assertEqual(int(self.answers(MaxBurstLength="0x4000")["MaxBurstLength"], 0), 16384)

    def test_unknown_key(self):
        self.assertEqual(self.answers(**{"X-com.example.key": "7"})["X-com.example.key"], "NotUnderstood")

    def test_out_of_range_value(self):
        """A value that the key cannot have is answered with Reject, or ends the login (6.2). It is never accepted."""
        for key, value in (("MaxBurstLength", "511"), ("MaxBurstLength", "16777216"), ("FirstBurstLength", "0"),
                           ("MaxRecvDataSegmentLength", "0"), ("MaxOutstandingR2T", "65536"),
                           ("ErrorRecoveryLevel", "3"), ("InitialR2T", "Maybe"), ("MaxBurstLength", "12x"),
                           ("MaxBurstLength", ""), ("MaxBurstLength", "-5"), ("MaxBurstLength", "9" * 40),
                           ("HeaderDigest", "MD5")):
            with self.subTest(key=key, value=value):
                try:
                    self.assertEqual(self.answers(**{key: value}).get(key), "Reject")
                except LoginError as error:
                    self.assertEqual(error.status >> 8, 2)

    def test_two_stages(self):
        """The security stage with AuthMethod=None is followed by the operational stage."""
        session = self.session(login=False, attention=True)
        answer = session.login_step(session.names() | {"AuthMethod": "None"}, 0, 1)
        self.assertEqual(answer["AuthMethod"], "None")
        session.adopt(session.login_step(session.asked, 1, 3))
        self.assertEqual(session.ping(), b"ping")

    def test_straight_to_full_feature_from_security(self):
        session = self.session(login=False, attention=True)
        session.adopt(session.login_step(session.names() | {"AuthMethod": "None"}, 0, 3))
        self.assertEqual(session.ping(), b"ping")

    def test_one_key_a_request(self):
        session = self.session(login=False, attention=True)
        answers = session.login_step(session.names(), 1)
        for key, value in session.asked.items():
            answers |= session.login_step({key: value}, 1)
        session.adopt(answers | session.login_step({}, 1, 3))
        self.assertEqual(session.ping(), b"ping")

    def test_text_split_over_requests(self):
        """C bit (11.12.2): the text may be split at any place, even inside a key."""
        session = self.session(login=False, attention=True)
        text = p.encode_keys(session.names() | session.asked)
        for piece in (text[:20], text[20:33]):
            session.connection.send(p.login(piece, 0x40 | 1 << 2, session.isid))
            reply = session.connection.recv()
            self.assertEqual((reply.opcode, reply.flags & 0xC0, reply.data), (p.LOGIN_RESPONSE, 0, b""))
        session.connection.send(p.login(text[33:], p.FINAL | 1 << 2 | 3, session.isid))
        reply = session.connection.recv()
        self.assertEqual(struct.unpack_from(">H", reply.bhs, 36)[0], 0)
        self.assertTrue(reply.final)

    def test_target_portal_group_tag(self):
        """The tag is declared in the first response after the TargetName (13.9)."""
        self.assertEqual(self.answers()["TargetPortalGroupTag"], "1")

    def test_wide_sequence_numbers(self):
        """CmdSN and StatSN are serial numbers that wrap around (4.2.2)."""
        session = self.session(cmdsn=0xFFFFFFFE)
        for _ in range(5):
            self.assertEqual(session.execute(bytes(6)).status, 0)


class Refused(DaemonCase):
    def refused(self, target=IQN + "a", initiator="iqn.2026-11.test:bad", **options):
        with self.assertRaises(LoginError) as caught:
            Session(self.daemon.address, target, initiator=initiator, **options)
        return caught.exception.status

    def raw(self, keys, flags=p.FINAL | 1 << 2 | 3, **fields):
        """Sends one Login Request with these keys. Returns the status of the response, or None if the target only
        closed the connection."""
        with Connection(self.daemon.address) as connection:
            connection.send(p.login(p.encode_keys(keys), flags, b"\x80abcde", **fields))
            try:
                reply = connection.recv()
            except EOFError:
                return None
            self.assertEqual(reply.opcode, p.LOGIN_RESPONSE)
            status = struct.unpack_from(">H", reply.bhs, 36)[0]
            if status:
                self.assertTrue(connection.wait_closed(), "the connection stays open after a failed login")
            return status

    NAMES = {"InitiatorName": "iqn.2026-11.test:raw", "TargetName": IQN + "a"}

    def test_unknown_target(self):
        self.assertEqual(self.refused(IQN + "nobody"), NOT_FOUND)

    def test_missing_initiator_name(self):
        self.assertEqual(self.raw({"TargetName": IQN + "a"}), MISSING)

    def test_missing_target_name(self):
        self.assertEqual(self.raw({"InitiatorName": "iqn.2026-11.test:raw"}), MISSING)

    def test_bad_initiator_name(self):
        for name in ("", "x", "iqn.", "iqn.2026-11.test:" + "n" * 300, "iqn.2026-11.te st"):
            with self.subTest(name=name[:20]):
                self.assertIn(self.raw(self.NAMES | {"InitiatorName": name}), (INITIATOR_ERROR, MISSING, 0x0202, None))

    def test_bad_session_type(self):
        self.assertIn(self.raw(self.NAMES | {"SessionType": "Odd"}), (INITIATOR_ERROR, SESSION_TYPE))

    def test_unsupported_version(self):
        self.assertEqual(self.raw(self.NAMES, versions=(9, 9)), 0x0205)

    def test_unknown_session(self):
        """The TSIH does not belong to a session of this initiator (6.3.1)."""
        self.assertEqual(self.raw(self.NAMES, tsih=0x7777), NO_SESSION)

    def test_bad_stages(self):
        for flags in (p.FINAL | 2 << 2 | 3, p.FINAL | 1 << 2 | 0, p.FINAL | 1 << 2 | 2, p.FINAL | 3 << 2 | 3,
                      p.FINAL | 1 << 2 | 1, p.FINAL | 0x40 | 1 << 2 | 3):
            with self.subTest(flags=hex(flags)):
                self.assertIn(self.raw(self.NAMES, flags=flags), (INITIATOR_ERROR, 0x020B, None))

    def test_key_twice(self):
        """A key given twice in one negotiation is an error (6.2)."""
        pairs = list(self.NAMES.items()) + [("MaxBurstLength", "8192"), ("MaxBurstLength", "4096")]
        self.assertIn(self.raw(pairs), (INITIATOR_ERROR, None))

    def test_malformed_text(self):
        for text in (b"nonsense", b"=\0", b"\0\0\0", b"A" * 8000, b"Key\0", b"\xff\xfe=\xfd\0", b"=" * 100 + b"\0",
                     b"InitiatorName=iqn.2026-11.test:x", b"K" * 64 + b"=v\0"):
            with self.subTest(text=text[:16]), Connection(self.daemon.address) as connection:
                connection.send(p.login(text, p.FINAL | 1 << 2 | 3, b"\x80abcde"))
                try:
                    reply = connection.recv()
                    self.assertEqual(reply.opcode, p.LOGIN_RESPONSE)
                    self.assertEqual(reply.bhs[36], 2)
                except EOFError:
                    pass

    def test_endless_text(self):
        """The target ends a text that the initiator continues without end with the C bit."""
        with Connection(self.daemon.address) as connection:
            with self.assertRaises((EOFError, OSError)):
                for _ in range(1000):
                    connection.send(p.login(b"X-a.b=" + b"y" * 8000, 0x40 | 1 << 2, b"\x80abcde"))
                    if connection.recv().bhs[36]:
                        raise EOFError

    def test_endless_rounds(self):
        """A negotiation that never ends is ended at a limit."""
        with Connection(self.daemon.address) as connection:
            with self.assertRaises((EOFError, OSError)):
                for count in range(1000):
                    keys = self.NAMES if not count else {}
                    connection.send(p.login(p.encode_keys(keys), 1 << 2, b"\x80abcde"))
                    if connection.recv().bhs[36]:
                        raise EOFError

    def test_too_long_segment(self):
        """A login PDU may carry 8192 bytes (13.12)."""
        for length in (8193, 65536, 0xFFFFFF):
            with Connection(self.daemon.address) as connection:
                pdu = p.login(b"", p.FINAL | 1 << 2 | 3, b"\x80abcde")
                pdu.data_len = length
                connection.send(pdu)
                self.assertTrue(self.closed_or_refused(connection))

    def closed_or_refused(self, connection):
        try:
            return connection.recv().bhs[36] == 2
        except EOFError:
            return True

    def test_other_pdu_before_login(self):
        for pdu in (p.Pdu.make(p.NOP_OUT, itt=1), p.command(bytes(6), 1, 1, 1), p.Pdu.make(p.TEXT, itt=1),
                    p.Pdu.make(p.LOGOUT, itt=1), p.Pdu.make(p.TASK_MANAGEMENT, p.FINAL | p.LUN_RESET, itt=1),
                    p.data_out(1, 1, 0, 0, b"data", True, 1), p.Pdu.make(0x3F), p.Pdu.make(0x1C)):
            with self.subTest(opcode=hex(pdu.opcode)), Connection(self.daemon.address) as connection:
                connection.send(pdu)
                self.assertTrue(connection.wait_closed(), "the target has answered a PDU before the login")

    def test_second_login_pdu_in_full_feature(self):
        session = self.session()
        session.connection.send(p.login(p.encode_keys(session.names()), p.FINAL | 1 << 2 | 3, session.isid,
                                        session.tsih, cmdsn=session.cmdsn, expstatsn=session.expstatsn))
        try:
            self.assertIn(session.connection.recv().opcode, (p.REJECT, p.LOGIN_RESPONSE))
        except EOFError:
            pass


class Discovery(DaemonCase):
    args = ("--export", "alloc/a,size=16M,name=a", "--export", "alloc/b,size=16M,name=b")

    def test_send_targets_all(self):
        with self.daemon.discovery() as session:
            pairs = session.text({"SendTargets": "All"})
            self.assertEqual([v for k, v in pairs if k == "TargetName"], [IQN + "a", IQN + "b"])
            address = f"{self.daemon.address[0]}:{self.daemon.address[1]},1"
            self.assertEqual([v for k, v in pairs if k == "TargetAddress"], [address, address])
            session.logout()

    def test_send_targets_one(self):
        with self.daemon.discovery() as session:
            pairs = session.text({"SendTargets": IQN + "b"})
            self.assertEqual([v for k, v in pairs if k == "TargetName"], [IQN + "b"])
            self.assertEqual(session.text({"SendTargets": IQN + "c"}), [])

    def test_send_targets_in_normal_session(self):
        """An empty value asks for the target of this session (Appendix C)."""
        session = self.session()
        pairs = session.text({"SendTargets": ""})
        self.assertEqual([v for k, v in pairs if k == "TargetName"], [IQN + "a"])

    def test_long_segment_in_discovery(self):
        """The daemon stores little for a session that may need no secret: 8192 bytes, and not one more."""
        with self.daemon.discovery() as session:
            self.assertEqual(session.answers["MaxRecvDataSegmentLength"], "8192")
            session.ping(bytes(8192))
            with self.assertRaises((EOFError, ConnectionError)):
                session.ping(bytes(8193))

    def test_early_request_in_discovery(self):
        """A request that arrives before its turn ends the session, because the daemon would have to store it. The window is
        small."""
        with self.daemon.discovery() as session:
            self.assertEqual(session.maxcmdsn - session.cmdsn, 15)
            session.ping(immediate=False)
            early, missing = (p.Pdu.make(p.NOP_OUT, itt=n, w20=p.NO_TAG, w24=session.cmdsn + n, w28=session.expstatsn)
                              for n in (1, 0))
            session.connection.send(early, missing)
            with self.assertRaises((EOFError, ConnectionError)):
                session.connection.recv()

    def test_no_scsi_in_discovery(self):
        with self.daemon.discovery() as session:
            session.connection.send(p.command(bytes(6), 1, session.cmdsn, session.expstatsn))
            try:
                self.assertEqual(session.connection.recv().opcode, p.REJECT)
            except EOFError:
                pass


class HalfOpen(DaemonCase):
    """The number of peers that connect and do not log in is limited, and so is their time."""
    args = DaemonCase.args + ("--max-half-open", "8", "--login-timeout", "2")

    def test_login_timeout(self):
        begin = time.monotonic()
        with Connection(self.daemon.address) as connection:
            self.assertTrue(connection.wait_closed())
        self.assertGreater(time.monotonic() - begin, 1)

    def test_login_timeout_in_mid_pdu(self):
        with Connection(self.daemon.address) as connection:
            connection.send_bytes(p.login(b"", 0, b"\x80abcde").encode()[:30])
            self.assertTrue(connection.wait_closed())

    def test_login_timeout_with_steady_trickle(self):
        """The time limit is for the whole login, from accept() on, and not for the time between two bytes."""
        with Connection(self.daemon.address) as connection:
            pdu = p.login(p.encode_keys({"InitiatorName": "iqn.2026-11.test:slow"}), 1 << 2, b"\x80abcde").encode()
            deadline = time.monotonic() + PATIENCE
            with self.assertRaises(OSError):
                for byte in pdu * 100:
                    self.assertLess(time.monotonic(), deadline, "a slow peer keeps its connection")
                    connection.send_bytes(bytes([byte]))
                    time.sleep(0.1)

    def test_burst(self):
        """Connections over the limit have to wait, so that no login of a burst fails."""
        requests = [self.session(login=False, attention=True) for _ in range(100)]
        for session in requests:
            session.connection.send(p.login(p.encode_keys(session.names()), p.FINAL | 1 << 2 | 3, session.isid))
        for session in requests:
            reply = session.connection.recv()
            self.assertEqual((reply.opcode, reply.bhs[36]), (p.LOGIN_RESPONSE, 0))
            session.connection.close()

    def test_silent_peers_take_few_descriptors(self):
        """The kernel holds the connections back for a second. Afterwards they only replace each other."""
        before = self.descriptors()
        silent = [Connection(self.daemon.address) for _ in range(24)]
        for _ in range(3):
            time.sleep(0.5)
            # 8 descriptors are for connections. The daemon may have opened the others to complete its start.
            self.assertLessEqual(self.descriptors(), before + 12)
        for connection in silent:
            connection.close()

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.daemon.process.pid}/fd"))

    def test_bursts_over_the_limit(self):
        """Many times, the connections of a burst are closed while the daemon still gives places to some of them."""
        for _ in range(60):
            burst = [Connection(self.daemon.address) for _ in range(24)]
            time.sleep(0.02)
            for connection in burst:
                connection.close()

    def test_sessions_do_not_count(self):
        sessions = [self.session() for _ in range(12)]
        for session in sessions:
            self.assertEqual(session.ping(), b"ping")

    def test_port_scanner(self):
        for _ in range(100):
            probe = socket.create_connection(self.daemon.address)
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            probe.close()
        time.sleep(0.3)

    def test_random_bytes(self):
        for _ in range(30):
            with Connection(self.daemon.address) as connection:
                try:
                    connection.send_bytes(os.urandom(1000))
                except OSError:
                    pass
        time.sleep(0.3)

    def test_http_client(self):
        with Connection(self.daemon.address) as connection:
            connection.send_bytes(b"GET / HTTP/1.1\r\nHost: example.com\r\nAccept: */*\r\n\r\n")
            self.assertTrue(connection.wait_closed())


class ManySilentPeers(DaemonCase):
    """Silent peers are closed when others want to log in, long before their own time limit."""
    args = DaemonCase.args + ("--max-half-open", "8", "--login-timeout", "600")

    def test_silent_peers_do_not_lock_others_out(self):
        silent = [Connection(self.daemon.address) for _ in range(40)]
        for _ in range(3):
            with self.daemon.session("a") as session:
                self.assertEqual(session.ping(), b"ping")
        for connection in silent:
            connection.close()

    def test_silent_peers_stay_while_nobody_waits(self):
        silent = [Connection(self.daemon.address) for _ in range(8)]
        time.sleep(2)
        for connection in silent:
            with self.assertRaises(TimeoutError):
                connection.recv(0.01)
            connection.close()


if __name__ == "__main__":
    main()
