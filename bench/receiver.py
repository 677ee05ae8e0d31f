"""How much of a no-op Flask POST is left once a webhook is verified, parsed and recorded.

Same server, same options, one worker each; the rounds alternate.
"""

import contextlib
import hashlib
import hmac
import json
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from bench import front
from bench.offered import offer
from bench.stage import accepts, hammer, post_bytes, process, python, redis_server, show, wait_for
from cli.ports import free_ports

POSTS = 3000
_SECRET = "bench-secret"
_PNID = "106540352242922"
_CONFIG = f"""
[senders.shop]
provider = "meta"
number = "+15550783881"
phone_number_id = "{_PNID}"
business_account_id = "102290129340398"
access_token = "env:BENCH_SECRET"
app_secret = ["env:BENCH_SECRET"]
verify_token = "env:BENCH_SECRET"
"""
_GUNICORN = python("-m", "gunicorn", "-c", "python:webhook.gunicorn_conf")
OFFERED_PER_SECOND = 1000
OFFERED_SECONDS = 5


@contextlib.contextmanager
def surroundings() -> Iterator[tuple[Path, dict[str, str]]]:
    """A folder, and the environment of a receiver with a Redis of its own."""
    with tempfile.TemporaryDirectory() as name, redis_server(Path(name)) as url:
        yield Path(name), environment(Path(name), url)


def environment(folder: Path, redis_url: str) -> dict[str, str]:
    """Of a receiver that knows the one sender of `signed`."""
    config = folder / "finestra.toml"
    config.write_text(_CONFIG)
    return {"FINESTRA_REDIS_URL": redis_url, "FINESTRA_CONFIG": str(config), "BENCH_SECRET": _SECRET}


def run(*, rounds: int) -> None:
    with surroundings() as (folder, environ):
        _compare(environ, rounds)
        _offer(environ, folder)


def _compare(environ: dict[str, str], rounds: int) -> None:
    argv = (*_GUNICORN, "--workers", "1")
    ours, noop = free_ports(2)
    with (
        process((*argv, "--bind", f"127.0.0.1:{ours}", "webhook.wsgi:receiver()"), environ),
        process((*argv, "--bind", f"127.0.0.1:{noop}", "bench.noop:app()"), environ),
    ):
        wait_for(lambda: accepts(ours) and accepts(noop), "servers")
        hammer(ours, signed(200))
        hammer(noop, empty(200))
        _measure(ours, noop, rounds)


def _measure(ours: int, noop: int, rounds: int) -> None:
    single, nothing, batched = [], [], []
    for _ in range(rounds):
        single.append(POSTS / hammer(ours, signed(POSTS)))
        nothing.append(POSTS / hammer(noop, empty(POSTS)))
        batched.append(100 * 150 / hammer(ours, signed(150, batch=100)))
    ours_rate, noop_rate, batch_rate = map(statistics.median, (single, nothing, batched))
    show(
        "Receiver: verified, deduplicated, recorded, window open (gunicorn gthread, 1 worker, 16 threads)",
        ("what", "per second", "ratio"),
        [
            ("no-op Flask POST, same body", f"{noop_rate:,.0f} POST", "1.00"),
            ("webhook, 1 message", f"{ours_rate:,.0f} POST", f"{ours_rate / noop_rate:.2f}"),
            (
                "webhook, 100 messages",
                f"{batch_rate:,.0f} updates",
                f"{batch_rate / ours_rate:.1f} times one by one",
            ),
        ],
    )


def _offer(environ: dict[str, str], folder: Path) -> None:
    """As it is shipped: the workers of its configuration, with nginx in front and without."""
    rows = []
    with contextlib.ExitStack() as stack:
        (port,) = free_ports(1)
        argv = (*_GUNICORN, "--bind", f"127.0.0.1:{port}", "webhook.wsgi:receiver()")
        stack.enter_context(process(argv, environ))
        wait_for(lambda: accepts(port), "receiver")
        doors = {"gunicorn": port}
        if front.is_installed():
            doors["nginx and gunicorn"] = stack.enter_context(front.nginx(folder, f"127.0.0.1:{port}"))
        hammer(port, signed(400))
        for name, door in doors.items():
            offered = offer(door, signed(OFFERED_PER_SECOND * OFFERED_SECONDS), per_second=OFFERED_PER_SECOND)
            shown = [f"{offered.percentile(percent):,.1f} ms" for percent in (50, 99)]
            rows.append((name, *shown, str(offered.failures)))
    show(
        f"Receiver: {OFFERED_PER_SECOND:,} webhooks a second offered for {OFFERED_SECONDS} s",
        ("through", "p50", "p99", "not 200"),
        rows,
    )


def empty(posts: int) -> list[bytes]:
    return [post_bytes("/webhooks/noop", _body(number, 1), {}) for number in range(posts)]


def signed(posts: int, *, batch: int = 1) -> list[bytes]:
    """Bodies that were never sent before: a duplicate would be cheaper."""
    start = time.time_ns()
    made = []
    for number in range(posts):
        body = _body(start + number * batch, batch)
        digest = hmac.new(_SECRET.encode(), body, hashlib.sha256).hexdigest()
        headers = {"X-Hub-Signature-256": f"sha256={digest}", "Content-Type": "application/json"}
        made.append(post_bytes("/webhooks/shop", body, headers))
    return made


def _body(start: int, batch: int) -> bytes:
    at = str(int(time.time()))
    messages = [
        {
            "from": f"39333{(start + n) % 10_000_000:07}",
            "id": f"wamid.{start + n}",
            "timestamp": at,
            "type": "text",
            "text": {"body": "Buongiorno"},
        }
        for n in range(batch)
    ]
    value = {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": "15550783881", "phone_number_id": _PNID},
        "contacts": [{"profile": {"name": "Anna"}, "wa_id": messages[0]["from"]}],
        "messages": messages,
    }
    entry = {"id": "102290129340398", "changes": [{"field": "messages", "value": value}]}
    return json.dumps({"object": "whatsapp_business_account", "entry": [entry]}).encode()


if __name__ == "__main__":
    run(rounds=3)
