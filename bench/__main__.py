"""`make bench`: every question in turn, some minutes in all; `python -m bench --long` takes its time."""

import sys

from bench import (
    accepting,
    backlog,
    consents,
    limits,
    outbound,
    receiver,
    restarts,
    servers,
    space,
    surroundings,
)


def main() -> None:
    is_long = "--long" in sys.argv
    receiver.run(rounds=9 if is_long else 3)
    if is_long:
        servers.run(rounds=5)
    accepting.run(rounds=5 if is_long else 3, seconds=30 if is_long else 10)
    outbound.run(rounds=5 if is_long else 1, messages=10_000 if is_long else 4_000)
    backlog.run(
        rounds=3 if is_long else 1,
        short=1_000,
        long=50_000 if is_long else 10_000,
        deferred=100_000 if is_long else 0,
    )
    limits.run(seconds=30 if is_long else 6, messages=200 if is_long else 60)
    consents.run()
    space.run()
    if is_long:
        restarts.run(seconds=120)
        surroundings.run(rounds=5, seconds=4)


if __name__ == "__main__":
    main()
