"""Connections to a server that is no other thread or process: the answer is there as soon as the request was sent.

They are real ones over loopback, without what waking somebody up takes, and how that varies.
"""

from __future__ import annotations

import socket

BODY = b'{"number": 7, "page": "3"}'
ANSWER = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\nServer: shop\r\n\r\n" % len(BODY)
) + BODY


def install():
    """The server's address. Every socket is one of these from now on; other connections are as ever."""
    listening = socket.create_server(("127.0.0.1", 0))
    port = listening.getsockname()[1]

    class AnsweringSocket(socket.socket):
        def connect(self, address):
            try:
                return super().connect(address)
            finally:
                if address[1] == port:
                    self.server_side = listening.accept()[0]

        def sendall(self, data, *flags):
            super().sendall(data, *flags)
            self._answer(data)

        def send(self, data, *flags):
            sent = super().send(data, *flags)
            self._answer(data)
            return sent

        def sendmsg(self, buffers, *more):
            buffers = list(buffers)
            sent = super().sendmsg(buffers, *more)
            self._answer(buffers[-1])
            return sent

        def _answer(self, data):
            side = getattr(self, "server_side", None)
            if side is not None and bytes(data[-4:]) == b"\r\n\r\n":
                side.recv(1 << 16)
                side.sendall(ANSWER)

        def close(self):
            side = getattr(self, "server_side", None)
            if side is not None:
                side.close()
            super().close()

    socket.socket = AnsweringSocket
    return f"http://127.0.0.1:{port}"
