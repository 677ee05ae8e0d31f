"""A Sentry for tests: keeps what it is told, as it came, or never answers."""

import gzip
import json
import queue
import threading
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Sentry(ThreadingHTTPServer):
    """Takes what is sent to it, or never answers."""

    daemon_threads = True

    def __init__(self, *, answers: bool) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.heard: queue.Queue[bytes] = queue.Queue()
        self.may_answer = threading.Event()
        if answers:
            self.may_answer.set()
        self.dsn = f"http://key@127.0.0.1:{self.server_port}/7"

    def next_place(self) -> str:
        return json.loads(self.heard.get(timeout=20).splitlines()[-1])["tags"]["where"]

    @contextmanager
    def listening(self):
        thread = threading.Thread(target=self.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield self
        finally:
            self.may_answer.set()
            self.shutdown()
            thread.join()
            self.server_close()


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        self.server.heard.put(gzip.decompress(self.rfile.read(int(self.headers["Content-Length"]))))
        self.server.may_answer.wait()
        with suppress(OSError):
            self.send_response(200)
            self.end_headers()

    def log_message(self, *_):
        """Silent."""
