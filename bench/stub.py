"""A provider that takes everything after a while: one asyncio process, never what is measured."""

import asyncio
import json
import sys

_ANSWER = json.dumps(
    {
        "messaging_product": "whatsapp",
        "contacts": [],
        "messages": [{"id": "wamid.BENCH", "message_status": "accepted"}],
    }
).encode()


class Provider(asyncio.Protocol):
    """POST: wait, count, answer. GET: how many so far."""

    taken = 0
    latency_seconds = 0.02

    def __init__(self) -> None:
        self._buffer = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while b"\r\n\r\n" in self._buffer:
            head, _, rest = self._buffer.partition(b"\r\n\r\n")
            length = _length(head)
            if len(rest) < length:
                return
            self._buffer = rest[length:]
            self._serve(head)

    def _serve(self, head: bytes) -> None:
        if head.startswith(b"GET"):
            self._write(str(Provider.taken).encode())
        else:
            asyncio.get_running_loop().call_later(Provider.latency_seconds, self._take)

    def _take(self) -> None:
        Provider.taken += 1
        self._write(_ANSWER)

    def _write(self, body: bytes) -> None:
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        self._transport.write(head.encode() + body)


def _length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        if line.lower().startswith(b"content-length:"):
            return int(line.split(b":")[1])
    return 0


async def main(port: int, latency_ms: float) -> None:
    Provider.latency_seconds = latency_ms / 1000
    server = await asyncio.get_running_loop().create_server(Provider, "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), float(sys.argv[2])))
