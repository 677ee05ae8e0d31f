"""What Redis keeps: bytes of memory for an open window, a message that waits and one that was handed over."""

from bench.stage import show
from bench.works import works

COUNT = 5_000


def run() -> None:
    with works(latency_ms=0) as stage:
        empty = stage.redis_bytes()
        stage.write("shop", COUNT)
        written = stage.redis_bytes()
        stage.accept("shop", COUNT)
        accepted = stage.redis_bytes()
        with stage.workers():
            stage.wait_submitted("shop", COUNT)
        submitted = stage.redis_bytes()
    show(
        f"Redis: bytes of memory, {COUNT:,} contacts with a short text each way",
        ("what", "bytes each"),
        [
            ("an open window, its contact and the inbound message", _each(written - empty)),
            ("a message that waits in its lane", _each(accepted - written)),
            ("the same once it is handed over, with route and timeline", _each(submitted - written)),
        ],
    )


def _each(difference: int) -> str:
    return f"{difference / COUNT:,.0f}"
