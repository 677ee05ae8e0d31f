"""A Sentry for tests: keeps what it is told, or never answers."""

import gzip
import json
import queue

from tests.hearing import Hearing


class Sentry(Hearing):
    def __init__(self, *, answers: bool) -> None:
        super().__init__(answers=answers)
        self.heard: queue.Queue[bytes] = queue.Queue()
        self.dsn = f"http://key@{self.address}/7"

    def keep(self, body: bytes) -> None:
        self.heard.put(gzip.decompress(body))

    def next_place(self) -> str:
        return json.loads(self.heard.get(timeout=20).splitlines()[-1])["tags"]["where"]
