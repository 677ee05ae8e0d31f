"""The real processes on a Redis with the users that we ship: all works, and nothing is refused."""

from shared.queues import SUBMIT, make_celery
from tests.redis_users import guarded_server
from tests.stage import Stage

NUMBER = "+393331234567"


def delivered(live: Stage) -> int:
    return len(live.app.call("GET", "/v1/messages?state=delivered")["items"])


def test_everything_runs_as_the_users_that_we_ship(stage, tmp_path):
    (tmp_path / "redis").mkdir()
    with guarded_server(tmp_path / "redis") as server:
        urls = {
            "FINESTRA_REDIS_URL": server.url("finestra"),
            "FINESTRA_BROKER_URL": server.url("broker", 1),
            "FINESTRA_CELERY_DOOR": "1",
        }
        live = stage("receiver", "api", "worker", "submit", "sandbox", **urls)
        assert live.writes(NUMBER) == 200
        asked = {"to": NUMBER, "sender": "shop", "text": "ciao"}
        live.app.call("POST", "/v1/messages", json=asked)
        submitted = {"app": "orders", "request": asked}
        make_celery(live.unit.settings).send_task(SUBMIT, kwargs=submitted, queue=SUBMIT)

        live.until(lambda: delivered(live) == 2, "delivery of both")

        assert live.unit.stop()
        assert server.refused() == []
