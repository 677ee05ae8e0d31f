"""Counts round trips to Redis where they happen: at the socket, not by reading the code."""

import redis

from shared.store.connection import connect

#: What a new connection says once, whatever it is used for later.
_GREETINGS = (b"HELLO", b"AUTH", b"CLIENT", b"SELECT")


def counted(url: str) -> tuple[redis.Redis, list[int]]:
    """A client like ours, and a list that grows by one for each write to its connections."""
    client = connect(url)
    client.flushdb()
    trips: list[int] = []
    base = client.connection_pool.connection_class

    class CountingConnection(base):
        def send_packed_command(self, command, check_health=True):  # noqa: FBT002 - redis-py's signature
            data = b"".join(command)
            if not any(word in data[:32] for word in _GREETINGS):
                trips.append(len(data))
            return super().send_packed_command(command, check_health)

    client.close()
    client.connection_pool.connection_class = CountingConnection
    client.connection_pool.reset()
    return client, trips
