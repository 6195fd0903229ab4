# SPDX-License-Identifier: Apache-2.0
"""CHAP (RFC 7143 12.1.3, 9.2.1): each hash, in one direction and mutual, and attempts to cheat."""
import os
import tempfile

import iscsi_pdu as p
from case import DaemonCase, main
from daemon import IQN
from initiator import Chap, LoginError, Session

SECRET, MUTUAL = "initiator-secret-1", "target-secret-0002"
FAILED = 0x0201


def secret_file(text):
    handle, path = tempfile.mkstemp(prefix="tcmur-secret-")  # mode 0600
    os.write(handle, text.encode() + b"\n")
    os.close(handle)
    return path


class ChapCase(DaemonCase):
    mutual = discovery = False

    @classmethod
    def setUpClass(cls):
        cls.files = [secret_file(SECRET), secret_file(MUTUAL)]
        cls.args = DaemonCase.args + ("--chap-user", "alice", "--chap-secret-file", cls.files[0])
        if cls.mutual:
            cls.args += ("--mutual-user", "bob", "--mutual-secret-file", cls.files[1])
        if cls.discovery:
            cls.args += ("--chap-discovery",)
        super().setUpClass()

    @classmethod
    def tearDownClass(cls):
        for path in cls.files:
            os.unlink(path)
        super().tearDownClass()

    def healthy(self):
        return {"chap": Chap("alice", SECRET)}

    def login(self, chap=None, target="a"):
        session = Session(self.daemon.address, target and IQN + target, chap=chap)
        self.addCleanup(session.connection.close)
        return session

    def refused(self, chap=None, target="a"):
        with self.assertRaises(LoginError) as caught:
            self.login(chap, target)
        self.assertEqual(caught.exception.status, FAILED)

    def challenge(self, algorithm="5"):
        """Logs in until the target's challenge. Returns the session and the keys of the challenge."""
        session = self.session(login=False, attention=True)
        session.login_step(session.names() | {"AuthMethod": "CHAP"}, 0)
        return session, session.login_step({"CHAP_A": algorithm}, 0)

    def step_fails(self, session, keys, csg=0, nsg=1):
        """The step must end the login with an authentication or initiator error, or with a closed connection."""
        try:
            with self.assertRaises(LoginError) as caught:
                session.login_step(keys, csg, nsg)
            self.assertIn(caught.exception.status, (FAILED, 0x0200, 0x020B))
        except EOFError:
            pass


class OneWay(ChapCase):
    def test_each_hash(self):
        for algorithm in (5, 6, 7, 8):
            with self.subTest(algorithm=algorithm):
                session = self.login(Chap("alice", SECRET, algorithm))
                self.assertEqual(session.ping(), b"ping")

    def test_choice_of_hash(self):
        """The target chooses the first hash in the initiator's list that it supports."""
        _, keys = self.challenge("99,8,5")
        self.assertEqual(keys["CHAP_A"], "8")

    def test_no_common_hash(self):
        session = self.session(login=False, attention=True)
        session.login_step(session.names() | {"AuthMethod": "CHAP"}, 0)
        self.step_fails(session, {"CHAP_A": "99"}, nsg=None)

    def test_method_list(self):
        """The target chooses CHAP from a list that also contains None."""
        session = self.session(login=False, attention=True)
        answer = session.login_step(session.names() | {"AuthMethod": "CHAP,None"}, 0)
        self.assertEqual(answer["AuthMethod"], "CHAP")

    def test_wrong_secret(self):
        for algorithm in (5, 6, 7, 8):
            self.refused(Chap("alice", "wrong-secret-1234", algorithm))

    def test_wrong_user(self):
        self.refused(Chap("mallory", SECRET))
        self.refused(Chap("", SECRET))
        self.refused(Chap("alic", SECRET))
        self.refused(Chap("alice2", SECRET))

    def test_method_none_is_refused(self):
        session = self.session(login=False, attention=True)
        self.step_fails(session, session.names() | {"AuthMethod": "None"})

    def test_security_stage_skipped(self):
        self.refused()

    def test_security_stage_left_early(self):
        """The first request has the T bit set, before any proof (12.1)."""
        for nsg in (1, 3):
            session = self.session(login=False, attention=True)
            answer = session.login_step(session.names() | {"AuthMethod": "CHAP"}, 0, nsg)
            self.assertFalse(session.stage_done, answer)

    def test_stage_switched_after_challenge(self):
        session, _ = self.challenge()
        self.step_fails(session, session.asked, 1, 3)

    def test_no_response(self):
        session, _ = self.challenge()
        self.step_fails(session, {"CHAP_N": "alice"})

    def test_bad_responses(self):
        for response in ("", "0x", "0x00", "0x" + "00" * 16, "0x" + "zz" * 16, "0x" + "00" * 4000, "0b!!!", "12",
                         "0x" + "0" * 33):
            with self.subTest(response=response[:12]):
                session, _ = self.challenge()
                self.step_fails(session, {"CHAP_N": "alice", "CHAP_R": response})

    def test_base64_response(self):
        """Binary values may begin with 0x or 0b (6.1)."""
        import base64
        session, keys = self.challenge()
        digest = Chap("alice", SECRET).response(int(keys["CHAP_I"], 0), bytes.fromhex(keys["CHAP_C"][2:]))
        session.login_step({"CHAP_N": "alice", "CHAP_R": "0b" + base64.b64encode(digest).decode()}, 0, 1)
        self.assertTrue(session.stage_done)

    def test_challenge_is_fresh(self):
        seen = {self.challenge()[1]["CHAP_C"] for _ in range(8)}
        self.assertEqual(len(seen), 8)
        self.assertGreaterEqual(min(len(text) for text in seen), 2 + 2 * 16)

    def test_replay(self):
        """A response that was correct for one challenge is not accepted for the next one."""
        session, keys = self.challenge()
        answer = Chap("alice", SECRET).answer(keys)
        session.login_step(answer, 0, 1)
        other, _ = self.challenge()
        self.step_fails(other, answer)

    def test_mutual_not_configured(self):
        """The initiator asks for a proof that this target cannot give. There must be no login and no invented
        answer."""
        session, keys = self.challenge()
        chap = Chap("alice", SECRET, peer_user="bob", peer_secret=MUTUAL)
        self.step_fails(session, chap.answer(keys))

    def test_reinstatement_needs_the_secret(self):
        """Another initiator that uses the ISID of a session cannot end this session without the secret."""
        alice = self.login(Chap("alice", SECRET))
        with self.assertRaises(LoginError):
            Session(self.daemon.address, IQN + "a", isid=alice.isid, chap=Chap("alice", "wrong-secret-1234"))
        self.assertEqual(alice.ping(), b"ping")

    def test_discovery_is_open(self):
        self.login(target=None).logout()


class Mutual(ChapCase):
    mutual = True

    def test_each_hash(self):
        for algorithm in (5, 6, 7, 8):
            with self.subTest(algorithm=algorithm):
                self.login(Chap("alice", SECRET, algorithm, "bob", MUTUAL)).logout()

    def test_one_way_is_enough(self):
        """The initiator decides whether the target must prove itself."""
        self.login(Chap("alice", SECRET)).logout()

    def test_wrong_secret_gets_no_answer(self):
        session, keys = self.challenge()
        chap = Chap("alice", "wrong-secret-1234", peer_user="bob", peer_secret=MUTUAL)
        with self.assertRaises(LoginError) as caught:
            session.login_step(chap.answer(keys), 0, 1)
        self.assertEqual(caught.exception.status, FAILED)
        self.assertNotIn("CHAP_R", caught.exception.keys)

    def test_reflected_challenge(self):
        """The initiator sends back the target's own challenge, so that the target computes the response (9.2.1)."""
        session, keys = self.challenge()
        answer = Chap("alice", SECRET).answer(keys) | {"CHAP_I": keys["CHAP_I"], "CHAP_C": keys["CHAP_C"]}
        self.step_fails(session, answer)

    def test_challenge_of_another_connection(self):
        """The classic reflection: the initiator opens a second connection, and lets the target answer the challenge
        of the first one there."""
        first, keys = self.challenge()
        second, other = self.challenge()
        reflected = Chap("mallory", "guess-guess-guess").answer(other) | {"CHAP_I": keys["CHAP_I"],
                                                                          "CHAP_C": keys["CHAP_C"]}
        self.step_fails(second, reflected)
        self.assertEqual(first.login_step(Chap("alice", SECRET).answer(keys), 0, 1).get("CHAP_R"), None)

    def test_half_a_challenge(self):
        for keys in ({"CHAP_I": "7"}, {"CHAP_C": "0x" + "11" * 16}, {"CHAP_I": "256", "CHAP_C": "0x1111"},
                     {"CHAP_I": "x", "CHAP_C": "0x1111"}, {"CHAP_I": "1", "CHAP_C": "0x"},
                     {"CHAP_I": "1", "CHAP_C": "0x" + "11" * 3000}):
            with self.subTest(keys=str(keys)[:40]):
                session, challenge = self.challenge()
                self.step_fails(session, Chap("alice", SECRET).answer(challenge) | keys)


class InDiscovery(ChapCase):
    discovery = True

    def test_needed(self):
        self.refused(target=None)
        self.refused(Chap("alice", "wrong-secret-1234"), target=None)

    def test_with_secret(self):
        session = self.login(Chap("alice", SECRET), target=None)
        self.assertIn(("TargetName", IQN + "a"), session.text({"SendTargets": "All"}))

    def test_no_upgrade(self):
        """The login of a discovery session does not allow access to a target."""
        session = self.login(Chap("alice", SECRET), target=None)
        session.connection.send(p.command(bytes(6), 1, session.cmdsn, session.expstatsn))
        try:
            self.assertEqual(session.connection.recv().opcode, p.REJECT)
        except EOFError:
            pass


if __name__ == "__main__":
    main()
