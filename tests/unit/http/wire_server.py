"""A server that does to a request what it is told to, one connection at a time for each script."""

import socket
import ssl
import subprocess
import threading
import time


class WireServer:
    """`script(connection)` is called for each request, once its head and body have been read."""

    def __init__(self, script, wrap=lambda connection: connection):
        self._script = script
        self._wrap = wrap
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open = []
        self.port = self._listener.getsockname()[1]
        self.connections = 0
        self.requests = []
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in self._open:
            connection.close()
        self._thread.join()

    def _accept(self):
        while True:
            try:
                connection, _ = self._listener.accept()
                self.connections += 1
                connection = self._wrap(connection)
            except OSError:
                if self._listener.fileno() == -1:
                    return
                continue
            self._open.append(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        try:
            while request := _read_request(connection):
                self.requests.append(request)
                if self._script(connection) == "close":
                    break
        except OSError:
            pass  # the client, or the test's end, was faster
        finally:
            connection.close()


def _read_request(connection):
    received = b""
    while b"\r\n\r\n" not in received:
        more = connection.recv(65536)
        if not more:
            return None
        received += more
    head, _, body = received.partition(b"\r\n\r\n")
    lines = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
    while len(body) < int(lines.get(b"content-length", 0)):
        body += connection.recv(65536)
    return head, body


def headers_of(head):
    """Of a request that was read: names in lower case, as one header never differs from another by case."""
    lines = (line.split(": ", 1) for line in head.decode().split("\r\n")[1:])
    return {name.lower(): value for name, value in lines}


def self_signed(folder):
    """TLS for a server on 127.0.0.1, and what a client needs to trust it: nobody else does."""
    key, cert = folder / "key.pem", folder / "cert.pem"
    command = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=test"
    names = ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(cert)]
    subprocess.run([*command.split(), *names], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    return (
        lambda connection: context.wrap_socket(connection, server_side=True),
        ssl.create_default_context(cafile=str(cert)),
    )


def reply(body=b'{"ok": true}', *, status="200 OK", headers=(), length=None):
    """A script that answers at once."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body) if length is None else length}", *headers]
    head = "\r\n".join([*lines, "", ""]).encode()
    return lambda connection: connection.sendall(head + body)


def hang(_connection):
    time.sleep(5)
    return "close"


def pour(connection):
    """An answer that never ends, as fast as it is taken."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
    while True:
        connection.sendall(b"x" * 65536)


def cut(_connection):
    return "close"


def drip(connection):
    """A valid answer, a byte each 20 ms: no pause is ever long."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 10000\r\n\r\n")
    while True:
        connection.sendall(b" ")
        time.sleep(0.02)


def drip_until_closed(connection):
    """The same without a length, so that its end and a cut look alike, and with `Connection: close`."""
    connection.sendall(b'HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{"messages": []}')
    while True:
        connection.sendall(b" ")
        time.sleep(0.02)


def drip_head(connection):
    connection.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    while True:
        connection.sendall(b"a")
        time.sleep(0.02)
