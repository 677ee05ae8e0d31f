"""A program that hands its messages to the Celery door, each at its time: the broker keeps them."""

import time

from bench.works import Works, contacts
from shared.queues import SUBMIT, make_celery

#: Other contacts than those who are written to through the api.
FIRST_CONTACT = 500_000


def hand_in(stage: Works, count: int, *, per_second: float) -> int:
    """Each at its time; how many the broker took."""
    celery = make_celery(stage.deps.settings)
    started = time.monotonic()
    for number, contact in enumerate(contacts(count, FIRST_CONTACT)):
        time.sleep(max(0.0, started + number / per_second - time.monotonic()))
        request = {"to": contact.value, "sender": "shop", "text": f"{time.time():.4f}"}
        celery.send_task(
            SUBMIT, kwargs={"app": "bench", "request": request}, queue=SUBMIT, ignore_result=True
        )
    return count
