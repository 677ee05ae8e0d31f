"""How much of a no-op Flask POST is left once a webhook is verified, parsed and recorded.

Same server, same options, one worker each; the rounds alternate.
"""

import hashlib
import hmac
import json
import statistics
import tempfile
import time
from pathlib import Path

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
_GUNICORN = python("-m", "gunicorn", "-c", "python:webhook.gunicorn_conf", "--workers", "1")


def run(*, rounds: int) -> None:
    with tempfile.TemporaryDirectory() as folder, redis_server(Path(folder)) as url:
        config = Path(folder) / "finestra.toml"
        config.write_text(_CONFIG)
        environ = {"FINESTRA_REDIS_URL": url, "FINESTRA_CONFIG": str(config), "BENCH_SECRET": _SECRET}
        ours, noop = free_ports(2)
        with (
            process((*_GUNICORN, "--bind", f"127.0.0.1:{ours}", "webhook.wsgi:receiver()"), environ),
            process((*_GUNICORN, "--bind", f"127.0.0.1:{noop}", "bench.noop:app()"), environ),
        ):
            wait_for(lambda: accepts(ours) and accepts(noop), "servers")
            hammer(ours, _signed(200, batch=1))
            hammer(noop, [post_bytes("/noop", _body(0, 1), {})] * 200)
            _measure(ours, noop, rounds)


def _measure(ours: int, noop: int, rounds: int) -> None:
    single, empty, batched = [], [], []
    for _ in range(rounds):
        single.append(POSTS / hammer(ours, _signed(POSTS, batch=1)))
        empty.append(POSTS / hammer(noop, [post_bytes("/noop", _body(n, 1), {}) for n in range(POSTS)]))
        batched.append(100 * 60 / hammer(ours, _signed(60, batch=100)))
    ours_rate, noop_rate, batch_rate = map(statistics.median, (single, empty, batched))
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


def _signed(posts: int, *, batch: int) -> list[bytes]:
    """Bodies that were never sent before: a duplicate would be cheaper."""
    start = time.time_ns()
    signed = []
    for number in range(posts):
        body = _body(start + number * batch, batch)
        digest = hmac.new(_SECRET.encode(), body, hashlib.sha256).hexdigest()
        headers = {"X-Hub-Signature-256": f"sha256={digest}", "Content-Type": "application/json"}
        signed.append(post_bytes("/webhooks/shop", body, headers))
    return signed


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
