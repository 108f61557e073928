"""An HTTP/1.1 connection that hides nothing: interim answers are seen, a
body stops where it is told to, and the connection breaks in the ways in which
connections break."""

import select
import socket
import struct
import time

TIMEOUT_S = 60


class Broken(Exception):
    """nothing more can be had from this connection"""


class Early(Exception):
    """the answer is here before all of the body was sent"""


class Answer:
    def __init__(self, text):
        line, *lines = text.decode("latin-1").split("\r\n")
        self.status = int(line.split()[1])
        self.headers = {}
        for x in lines:
            name, _, value = x.partition(":")
            self.headers[name.lower()] = value.strip()
        self.body = b""

    def __str__(self):
        return "%d %s %s" % (self.status, self.headers, self.body[:300])


class Wire:
    def __init__(self, address, host):
        self.host, self.got, self.interim = host, b"", []
        self.sent = 0                   # of a body, by who sends it
        try:
            self.sock = socket.create_connection(address, TIMEOUT_S)
        except OSError as e:
            raise Broken(e) from e
        self.begun = time.monotonic()
        # what is on its way counts as sent
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65536)

    def head(self, method, target, headers):
        self.method = method
        self.send(("%s %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n%s\r\n"
                   % (method, target, self.host, "".join(
                       "%s: %s\r\n" % h for h in headers.items()))).encode())

    def send(self, data):
        try:
            self.sock.sendall(data)
        except OSError as e:
            # it may have said why
            if self.look() and self.heads():
                raise Early from e
            raise Broken(e) from e

    def look(self, seconds=0):
        """reads what is there"""
        if not select.select([self.sock], [], [], seconds)[0]:
            return False
        try:
            data = self.sock.recv(65536)
        except OSError as e:
            raise Broken(e) from e
        if not data:
            raise Broken("the server closed, %r" % self.got[:100])
        self.got += data
        return True

    def heads(self):
        """interim answers are put away; is another one there?"""
        while b"\r\n\r\n" in self.got:
            answer = Answer(self.got.partition(b"\r\n\r\n")[0])
            if answer.status >= 200:
                return True
            self.got = self.got.partition(b"\r\n\r\n")[2]
            self.interim.append(answer)
        return False

    def check(self):
        """between two pieces of a body"""
        if self.look() and self.heads():
            raise Early

    def wait(self, status, seconds):
        """for an interim answer; False: it does not come"""
        end = time.monotonic() + seconds
        while not any(a.status == status for a in self.interim):
            left = end - time.monotonic()
            if left <= 0 or not self.look(left):
                return False
            if self.heads():
                raise Early
        return True

    def answer(self):
        while not self.heads():
            if not self.look(TIMEOUT_S):
                raise Broken("no answer for %d s" % TIMEOUT_S)
        head, _, self.got = self.got.partition(b"\r\n\r\n")
        answer = Answer(head)
        length = 0
        if self.method != "HEAD" and answer.status != 204:
            length = answer.headers.get("content-length")
        while length is None or len(self.got) < int(length):
            try:
                if not self.look(TIMEOUT_S):
                    raise Broken("half an answer for %d s" % TIMEOUT_S)
            except Broken:
                if length is None and self.whole():
                    break
                raise
            if length is None and self.whole():
                break
        answer.body = self.got
        self.close()
        return answer

    def whole(self):
        """of an answer in chunks"""
        return self.got.endswith(b"0\r\n\r\n")

    def close(self):
        self.sock.close()

    def reset(self):
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                             struct.pack("ii", 1, 0))
        self.sock.close()
