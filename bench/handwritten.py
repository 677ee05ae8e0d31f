"""The loop that one would write by hand: a Celery task a message, EXISTS, requests.post, done."""

import os

import redis
import requests
from celery import Celery

app = Celery("handwritten", broker=os.environ.get("BENCH_BROKER", "redis://"))
app.conf.update(task_ignore_result=True, worker_prefetch_multiplier=4)
_windows = redis.Redis.from_url(os.environ.get("BENCH_REDIS", "redis://"))


@app.task
def send(contact: str, text: str) -> None:
    if _windows.exists(f"window:{contact}"):
        body = {"messaging_product": "whatsapp", "to": contact, "type": "text", "text": {"body": text}}
    else:
        body = {"messaging_product": "whatsapp", "to": contact, "type": "template", "template": {"name": "x"}}
    requests.post(os.environ["BENCH_PROVIDER"], json=body, timeout=8)
