"""A provider that takes everything after a while: one asyncio process, never what is measured.

Speaks as Meta, one message a request, and as CM.com, batches. It counts what it got, and what it got twice.
A message whose text is a time (seconds since the epoch) tells it how long it was on its way.
"""

import asyncio
import json
import re
import sys
import time
from collections.abc import Sequence
from typing import cast

from bench.stage import length_of

_REFERENCE = re.compile(rb'"(?:biz_opaque_callback_data|reference)": ?"(\w+)"')
_TO = re.compile(rb'"to": ?"\+?(\w+)"')
_TEXT = re.compile(rb'"(?:body|content)": ?"([\d.]+)"')


class Taken:
    """What came so far."""

    def __init__(self) -> None:
        self.requests = 0
        self.messages = 0
        self.repeated = 0
        self.first_at = self.last_at = 0.0
        self.ages_ms: list[float] = []
        self._references: set[bytes] = set()

    def take(self, body: bytes, at: float) -> None:
        references = _REFERENCE.findall(body)
        self.requests += 1
        self.messages += len(references) or 1  # the loop by hand names none
        self.repeated += sum(reference in self._references for reference in references)
        self._references.update(references)
        self.first_at = self.first_at or at
        self.last_at = at
        self.ages_ms += [(at - float(text)) * 1000 for text in _TEXT.findall(body)]

    def report(self) -> bytes:
        """Short, as it is asked often."""
        names = ("requests", "messages", "repeated", "first_at", "last_at")
        return json.dumps({name: getattr(self, name) for name in names}).encode()


class Provider(asyncio.Protocol):
    """POST: count when it comes, answer after the latency.

    `GET /`: what came. `GET /ages`: how old it was, in ms.
    """

    taken = Taken()
    latency_seconds = 0.02

    def __init__(self) -> None:
        self._buffer = b""
        self._transport: asyncio.WriteTransport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.WriteTransport", transport)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while b"\r\n\r\n" in self._buffer:
            head, _, rest = self._buffer.partition(b"\r\n\r\n")
            length = length_of(head)
            if len(rest) < length:
                return
            self._buffer = rest[length:]
            self._serve(head, rest[:length])

    def _serve(self, head: bytes, body: bytes) -> None:
        if head.startswith(b"GET /ages"):
            self._write("200 OK", json.dumps(Provider.taken.ages_ms).encode())
        elif head.startswith(b"GET"):
            self._write("200 OK", Provider.taken.report())
        else:
            Provider.taken.take(body, time.time())
            answer = _batch_answer(body) if b'"msg"' in body[:40] else _answer(body)
            asyncio.get_running_loop().call_later(Provider.latency_seconds, self._write, "200 OK", answer)

    def _write(self, status: str, body: bytes) -> None:
        head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        self._transport.write(head.encode() + body)


def _answer(body: bytes) -> bytes:
    to = _to(body)[0]
    return (
        b'{"messaging_product":"whatsapp","contacts":[{"input":"%b","wa_id":"%b"}],'
        b'"messages":[{"id":"wamid.%d","message_status":"accepted"}]}' % (to, to, Provider.taken.messages)
    )


def _batch_answer(body: bytes) -> bytes:
    entries = [
        {
            "to": message["to"][0]["number"],
            "status": "Accepted",
            "reference": message["reference"],
            "parts": 1,
            "messageDetails": None,
            "messageErrorCode": 0,
        }
        for message in json.loads(body)["messages"]["msg"]
    ]
    return json.dumps(
        {"details": f"Created {len(entries)} message(s)", "errorCode": 0, "messages": entries}
    ).encode()


def _to(body: bytes) -> Sequence[bytes]:
    return _TO.findall(body) or (b"",)


async def main(port: int, latency_ms: float) -> None:
    Provider.latency_seconds = latency_ms / 1000
    server = await asyncio.get_running_loop().create_server(Provider, "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), float(sys.argv[2])))
