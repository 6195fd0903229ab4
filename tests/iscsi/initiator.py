# SPDX-License-Identifier: Apache-2.0
"""An iSCSI initiator for tests. It obeys RFC 7143 unless a test makes it do otherwise, and checks that
the target obeys the RFC: sequence numbers, burst and segment limits, residuals and digests of each PDU."""
import contextlib
import hashlib
import hmac
import os
import select
import socket
import struct
import time

import iscsi_pdu as p

DEFAULTS = {  # The values of keys that are not negotiated (RFC 7143 13).
    "HeaderDigest": "None", "DataDigest": "None", "InitialR2T": "Yes", "ImmediateData": "Yes",
    "MaxRecvDataSegmentLength": "8192", "MaxBurstLength": "262144", "FirstBurstLength": "65536",
    "MaxOutstandingR2T": "1", "ErrorRecoveryLevel": "0", "MaxConnections": "1",
    "DefaultTime2Wait": "2", "DefaultTime2Retain": "20", "DataPDUInOrder": "Yes", "DataSequenceInOrder": "Yes",
}
PATIENCE = 60.0  # In seconds. A wait ends as soon as its condition is true, so only a hang reaches this limit.
NO_VALUE = ("Reject", "NotUnderstood", "Irrelevant")
CHAP_HASHES = {5: hashlib.md5, 6: hashlib.sha1, 7: hashlib.sha256, 8: hashlib.sha3_256}


class LoginError(Exception):
    def __init__(self, status, keys=None):
        super().__init__(f"login status {status:#06x}")
        self.status, self.keys = status, keys or {}


class Chap:
    """The initiator's side of CHAP (RFC 7143 12.1.3). With peer_secret, the target must authenticate itself as
    well."""

    def __init__(self, user, secret, algorithm=5, peer_user=None, peer_secret=None):
        self.user, self.secret, self.algorithm = user, secret, algorithm
        self.peer_user, self.peer_secret = peer_user, peer_secret
        self.identifier, self.challenge = os.urandom(1)[0], os.urandom(16)

    def response(self, identifier, challenge, secret=None):
        text = bytes([identifier]) + (secret or self.secret).encode() + challenge
        return CHAP_HASHES[self.algorithm](text).digest()

    def answer(self, keys):
        """Returns the initiator's keys that answer CHAP_I and CHAP_C of the target."""
        challenge = bytes.fromhex(keys["CHAP_C"][2:])
        answer = {"CHAP_N": self.user, "CHAP_R": "0x" + self.response(int(keys["CHAP_I"], 0), challenge).hex()}
        if self.peer_secret:
            answer |= {"CHAP_I": str(self.identifier), "CHAP_C": "0x" + self.challenge.hex()}
        return answer

    def check_peer(self, keys):
        expected = self.response(self.identifier, self.challenge, self.peer_secret)
        assert keys["CHAP_N"] == self.peer_user, keys
        assert hmac.compare_digest(bytes.fromhex(keys["CHAP_R"][2:]), expected), "target failed mutual CHAP"


class Connection:
    """A TCP connection that sends and receives PDUs. recv() raises EOFError if the target has closed it."""

    def __init__(self, address, timeout=PATIENCE, receive_buffer=None):
        family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self.socket = socket.socket(family, socket.SOCK_STREAM)
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.timeout = timeout
        self.socket.settimeout(timeout)
        try:
            self.socket.connect(address)
        except OSError:
            self.socket.close()
            raise
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.header_digest = self.data_digest = False

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def send(self, *pdus):
        self.send_bytes(b"".join(pdu.encode(self.header_digest, self.data_digest) for pdu in pdus))

    def send_bytes(self, data):
        self.socket.settimeout(self.timeout)
        self.socket.sendall(data)

    @contextlib.contextmanager
    def corked(self):
        """A context manager that collects the bytes to send, and sends them in one piece at the end."""
        pieces, send = [], self.send_bytes
        self.send_bytes = pieces.append
        try:
            yield
        finally:
            self.send_bytes = send
        send(b"".join(pieces))

    def _read(self, length):
        data = bytearray()
        while len(data) < length:
            try:
                piece = self.socket.recv(length - len(data))
            except ConnectionResetError as error:
                raise EOFError("connection reset") from error
            if not piece:
                raise EOFError("connection closed by the target")
            data += piece
        return bytes(data)

    def recv(self, timeout=None):
        """Returns the next PDU. If none begins within timeout seconds, raises TimeoutError, and no byte is lost."""
        if timeout is not None:
            waiting = select.poll()
            waiting.register(self.socket, select.POLLIN)
            if not waiting.poll(max(timeout, 0) * 1000):
                raise TimeoutError(f"no PDU within {timeout} s")
        self.socket.settimeout(self.timeout)
        header = self._read(48)
        header += self._read(header[4] * 4)
        if self.header_digest:
            assert struct.unpack("<I", self._read(4))[0] == p.crc32c(header), "HeaderDigest of the target is wrong"
        length = int.from_bytes(header[5:8], "big")
        data = self._read(length + -length % 4)
        if self.data_digest and length:
            assert struct.unpack("<I", self._read(4))[0] == p.crc32c(data), "DataDigest of the target is wrong"
        return p.Pdu(header[:48], header[48:], data[:length])

    def wait_closed(self, timeout=PATIENCE):
        """Waits until the target closes the connection, and ignores what the target sends before. Returns False if this
        takes too long."""
        deadline = time.monotonic() + timeout
        try:
            while time.monotonic() < deadline:
                self.socket.settimeout(max(deadline - time.monotonic(), 0.01))
                if not self.socket.recv(65536):
                    return True
        except socket.timeout:
            return False
        except OSError:
            return True
        return False


class Task:
    """One SCSI command of a session, from start() to its status."""

    def __init__(self, itt, cdb, out, length, lun, manual):
        self.itt, self.cdb, self.out, self.length, self.lun, self.manual = itt, cdb, out, length, lun, manual
        self.data, self.datasn, self.burst = bytearray(), 0, 0
        self.r2ts, self.r2tsn, self.solicited = [], 0, 0
        self.status = None
        self.sense, self.residual, self.overflow, self.underflow = b"", 0, False, False

    @property
    def key(self):
        """Returns (sense key, ASC, ASCQ) of sense data in fixed or descriptor format."""
        sense = self.sense
        if len(sense) < 4:
            return None
        if sense[0] & 0x7F >= 0x72:
            return sense[1] & 15, sense[2], sense[3]
        return sense[2] & 15, sense[12], sense[13]


class Session:
    """A normal session (if target is given) or a discovery session. Logs in at once unless login=False."""

    serial = 0

    def __init__(self, address, target=None, initiator="iqn.2026-11.test:initiator", keys=None, chap=None, isid=None,
                 login=True, timeout=PATIENCE, receive_buffer=None, tsih=0, cmdsn=1):
        self.connection = Connection(address, timeout, receive_buffer)
        self.target, self.initiator, self.chap = target, initiator, chap
        Session.serial += 1
        self.isid = isid or struct.pack(">BHBH", 0x80, os.getpid() & 0xFFFF, 0, Session.serial & 0xFFFF)
        self.tsih, self.cid = tsih, 0
        self.cmdsn, self.expstatsn, self.maxcmdsn = cmdsn, 0, cmdsn
        self.next_itt = 1
        self.asked = {"MaxRecvDataSegmentLength": "65536"}
        if target:
            self.asked |= {"HeaderDigest": "None", "DataDigest": "None", "InitialR2T": "No", "ImmediateData": "Yes",
                           "MaxBurstLength": "262144", "FirstBurstLength": "65536", "MaxOutstandingR2T": "1"}
        self.asked |= keys or {}
        self.keys = dict(DEFAULTS)  # The values that are in force.
        self.tasks, self.others = {}, []
        if login:
            try:
                self.login()
            except BaseException:
                self.connection.close()
                raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.connection.close()

    # Login (RFC 7143 6.3)

    def names(self):
        names = {"InitiatorName": self.initiator, "SessionType": "Normal" if self.target else "Discovery"}
        return names | ({"TargetName": self.target} if self.target else {})

    def login_step(self, keys, csg, nsg=None):
        """Sends one Login Request and returns the keys of the response. nsg None: stays in the stage (T=0)."""
        flags = csg << 2 if nsg is None else p.FINAL | csg << 2 | nsg
        self.connection.send(p.login(p.encode_keys(keys), flags, self.isid, self.tsih, 0, self.cid, self.cmdsn,
                                     self.expstatsn))
        response = self.connection.recv()
        assert response.opcode == p.LOGIN_RESPONSE, response
        data = response.data
        while response.flags & 0x40:  # C bit: the text continues
            assert not response.final, "C and T together (11.13.2)"
            self.connection.send(p.login(b"", csg << 2, self.isid, self.tsih, 0, self.cid, self.cmdsn,
                                         response.statsn + 1))
            response = self.connection.recv()
            data += response.data
        status = struct.unpack_from(">H", response.bhs, 36)[0]
        if status:
            raise LoginError(status, p.decode_keys(data))
        self.expstatsn = (response.statsn + 1) & 0xFFFFFFFF
        self.maxcmdsn = response.maxcmdsn
        if response.final and response.flags & 3 == 3:
            self.tsih = struct.unpack_from(">H", response.bhs, 14)[0]
            assert self.tsih, "TSIH 0 at the end of a login (11.13.3)"
        self.stage_done = response.final
        return p.decode_keys(data)

    def login(self):
        first = self.names()
        if self.chap:
            self.security(first)
            first = {}
        answers = self.login_step(first | self.asked, 1, 3)
        while not self.stage_done:
            answers |= self.login_step({}, 1, 3)
        self.adopt(answers)

    def security(self, first):
        answer = self.login_step(first | {"AuthMethod": "CHAP"}, 0)
        assert answer.get("AuthMethod") == "CHAP", answer
        answer = self.login_step({"CHAP_A": str(self.chap.algorithm)}, 0)
        assert answer.get("CHAP_A") == str(self.chap.algorithm), answer
        answer = self.login_step(self.chap.answer(answer), 0, 1)
        if self.chap.peer_secret:
            self.chap.check_peer(answer)
        assert self.stage_done, "target does not leave the security stage after CHAP"

    def adopt(self, answers):
        """Uses the negotiated values from now on. The caller has completed the login."""
        self.answers = answers
        self.keys |= {key: value for key, value in answers.items()
                      if key in DEFAULTS and value not in NO_VALUE}
        self.connection.header_digest = self.keys["HeaderDigest"] == "CRC32C"
        self.connection.data_digest = self.keys["DataDigest"] == "CRC32C"
        self.segment = int(self.keys["MaxRecvDataSegmentLength"])  # The target's limit for what this side may send.
        self.own_segment = int(self.asked["MaxRecvDataSegmentLength"])
        self.max_burst, self.first_burst = int(self.keys["MaxBurstLength"]), int(self.keys["FirstBurstLength"])
        self.initial_r2t, self.immediate = self.keys["InitialR2T"] == "Yes", self.keys["ImmediateData"] == "Yes"
        self.max_r2t = int(self.keys["MaxOutstandingR2T"])

    # Full feature phase

    def take_itt(self):
        self.next_itt += 1
        return self.next_itt - 1

    def take_cmdsn(self, immediate=False):
        if not immediate:
            self.cmdsn = (self.cmdsn + 1) & 0xFFFFFFFF
            return (self.cmdsn - 1) & 0xFFFFFFFF
        return self.cmdsn

    def start(self, cdb, out=b"", length=None, lun=0, attribute=p.SIMPLE, immediate=False, manual=False, flags=None):
        """Sends a command with the unsolicited data that the session allows. length is the Expected Data Transfer
        Length (default: len(out)). With manual, no unsolicited data is sent, and the test itself answers the R2Ts,
        which are in task.r2ts."""
        length = len(out) if length is None else length
        task = Task(self.take_itt(), bytes(cdb), out, length, lun, manual)
        task.flags = flags
        if flags is None:
            flags = (p.WRITE if out else p.READ if length else 0) | attribute
        first = min(self.first_burst, length, len(out)) if out and not manual else 0
        inline = min(first, self.segment) if self.immediate else 0
        if self.initial_r2t:
            first = inline
        final = p.FINAL if first == inline else 0
        self.tasks[task.itt] = task
        self.connection.send(p.command(task.cdb, task.itt, self.take_cmdsn(immediate), self.expstatsn, lun,
                                       final | flags, length, out[:inline], immediate))
        if first > inline:
            self.send_data(task, p.NO_TAG, inline, first - inline)
        task.solicited = first
        return task

    def send_data(self, task, ttt, offset, length, datasn=0):
        end = offset + length
        while offset < end:
            size = min(self.segment, end - offset)
            self.connection.send(p.data_out(task.itt, ttt, datasn, offset, task.out[offset:offset + size],
                                            offset + size == end, self.expstatsn, task.lun))
            offset, datasn = offset + size, datasn + 1

    def finish(self, task, timeout=None):
        while task.status is None:
            self.receive(timeout)
        return task

    def execute(self, cdb, out=b"", length=None, lun=0, **options):
        return self.finish(self.start(cdb, out, length, lun, **options))

    def good(self, cdb, out=b"", length=None, lun=0, **options):
        task = self.execute(cdb, out, length, lun, **options)
        assert task.status == 0, f"CDB {bytes(cdb).hex()}: status {task.status:#x}, sense {task.key}"
        return bytes(task.data)

    def receive(self, timeout=None):
        """Receives one PDU, reacts to it, and returns it."""
        pdu = self.connection.recv(timeout)
        self.check_numbers(pdu)
        if pdu.opcode == p.DATA_IN:
            self.on_data_in(pdu)
        elif pdu.opcode == p.SCSI_RESPONSE:
            self.on_response(pdu)
        elif pdu.opcode == p.R2T:
            self.on_r2t(pdu)
        elif pdu.opcode == p.NOP_IN and pdu.ttt != p.NO_TAG:
            self.connection.send(p.Pdu.make(p.NOP_OUT, lun=pdu.lun, immediate=True, w20=pdu.ttt, w24=self.cmdsn,
                                            w28=self.expstatsn))
        else:
            self.others.append(pdu)
        return pdu

    def check_numbers(self, pdu):
        """StatSN has no gaps (RFC 7143 4.2.2.2), and MaxCmdSN never decreases (4.2.2.1)."""
        counts = pdu.opcode not in (p.R2T, p.DATA_IN) and not (pdu.opcode == p.NOP_IN and pdu.itt == p.NO_TAG)
        if pdu.opcode == p.DATA_IN:
            counts = bool(pdu.flags & 1)
        if counts:
            assert pdu.statsn == self.expstatsn, f"StatSN {pdu.statsn}, expected {self.expstatsn}: {pdu}"
            self.expstatsn = (self.expstatsn + 1) & 0xFFFFFFFF
        advance = (pdu.maxcmdsn - self.maxcmdsn) & 0xFFFFFFFF
        assert advance < 1 << 31, f"MaxCmdSN went back from {self.maxcmdsn} to {pdu.maxcmdsn}"
        self.maxcmdsn = pdu.maxcmdsn

    def on_data_in(self, pdu):
        task = self.tasks[pdu.itt]
        assert pdu.word(36) == task.datasn, f"DataSN {pdu.word(36)}, expected {task.datasn}"
        assert pdu.word(40) == len(task.data), f"buffer offset {pdu.word(40)}, expected {len(task.data)}"
        assert len(pdu.data) <= self.own_segment, "Data-In exceeds the initiator's MaxRecvDataSegmentLength"
        task.datasn += 1
        task.data += pdu.data
        task.burst = task.burst + len(pdu.data)
        assert task.burst <= self.max_burst, "Data-In sequence exceeds MaxBurstLength"
        assert len(task.data) <= task.length, "more Data-In than the Expected Data Transfer Length"
        if pdu.final:
            task.burst = 0
        if pdu.flags & 1:  # the last Data-In also contains the status
            assert pdu.final, "S without F (11.7.3)"
            self.end(task, pdu, pdu.bhs[3])

    def on_response(self, pdu):
        task = self.tasks[pdu.itt]
        assert pdu.bhs[2] == 0, f"iSCSI response {pdu.bhs[2]:#x}"
        if len(pdu.data) > 2:
            task.sense = pdu.data[2:2 + struct.unpack_from(">H", pdu.data)[0]]
        if task.datasn:
            assert pdu.word(36) == task.datasn, "ExpDataSN differs from the Data-In PDUs sent (11.4.8)"
        self.end(task, pdu, pdu.bhs[3])

    def end(self, task, pdu, status):
        task.overflow, task.underflow = bool(pdu.flags & 4), bool(pdu.flags & 2)
        task.residual = pdu.word(44) if task.overflow or task.underflow else 0
        task.status = status
        del self.tasks[task.itt]

    def on_r2t(self, pdu):
        task = self.tasks[pdu.itt]
        offset, length = pdu.word(40), pdu.word(44)
        assert pdu.word(36) == task.r2tsn, f"R2TSN {pdu.word(36)}, expected {task.r2tsn}"
        assert 0 < length <= self.max_burst, f"R2T of {length} bytes, MaxBurstLength {self.max_burst}"
        assert offset == task.solicited, f"R2T at {offset}, expected {task.solicited}"
        assert offset + length <= task.length, "R2T past the Expected Data Transfer Length"
        task.r2tsn += 1
        task.solicited += length
        task.r2ts.append(pdu)
        if not task.manual:
            self.answer_r2t(task, task.r2ts.pop(0))
        else:
            assert len(task.r2ts) <= self.max_r2t, "more R2Ts than MaxOutstandingR2T"

    def answer_r2t(self, task, pdu):
        self.send_data(task, pdu.ttt, pdu.word(40), pdu.word(44))

    def request(self, pdu, answer, timeout=None):
        """Sends a request that is not a SCSI command, and receives PDUs until its answer comes."""
        self.connection.send(pdu)
        while True:
            reply = self.receive(timeout)
            if reply.opcode == answer and reply.itt == pdu.itt:
                return reply
            if reply.opcode == p.REJECT:
                raise AssertionError(f"rejected, reason {reply.bhs[2]:#x}")

    def manage(self, function, lun=0, referenced=p.NO_TAG, immediate=True, refcmdsn=0):
        """Sends a task management function (11.5) and returns the response code."""
        pdu = p.Pdu.make(p.TASK_MANAGEMENT, p.FINAL | function, immediate, lun, self.take_itt(), w20=referenced,
                         w24=self.take_cmdsn(immediate), w28=self.expstatsn, w32=refcmdsn)
        return self.request(pdu, p.TASK_RESPONSE).bhs[2]

    def ping(self, data=b"ping", immediate=True, timeout=None):
        pdu = p.Pdu.make(p.NOP_OUT, immediate=immediate, itt=self.take_itt(), data=data, w20=p.NO_TAG,
                         w24=self.take_cmdsn(immediate), w28=self.expstatsn)
        return self.request(pdu, p.NOP_IN, timeout).data

    def text(self, keys, immediate=False):
        """Sends a Text Request, and then empty ones until the target has no more text. Returns the pairs of key and
        value."""
        itt, data, ttt, text = self.take_itt(), b"", p.NO_TAG, p.encode_keys(keys)
        while True:
            pdu = p.Pdu.make(p.TEXT, p.FINAL, immediate, itt=itt, data=text, w20=ttt,
                             w24=self.take_cmdsn(immediate), w28=self.expstatsn)
            reply = self.request(pdu, p.TEXT_RESPONSE)
            data, text, ttt = data + reply.data, b"", reply.ttt
            if reply.final:
                return p.split_keys(data)

    def logout(self, reason=0, cid=0):
        pdu = p.Pdu.make(p.LOGOUT, p.FINAL | reason, True, itt=self.take_itt(), w20=cid << 16, w24=self.cmdsn,
                         w28=self.expstatsn)
        return self.request(pdu, p.LOGOUT_RESPONSE).bhs[2]
