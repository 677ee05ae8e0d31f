"""`make bench`: every question in turn, about a minute in all; `python -m bench --long` takes its time."""

import sys

from bench import outbound, receiver, servers


def main() -> None:
    is_long = "--long" in sys.argv
    receiver.run(rounds=9 if is_long else 3)
    if is_long:
        servers.run(rounds=5)
    outbound.run(rounds=5 if is_long else 1, messages=10_000 if is_long else 3_000)


if __name__ == "__main__":
    main()
