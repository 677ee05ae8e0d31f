"""How gunicorn runs both doors: threads, because the work is waiting for Redis; nginx stands in front.

`gunicorn -c python:webhook.gunicorn_conf 'webhook.wsgi:receiver()'`
"""

import importlib
from typing import Any

worker_class = "webhook.gunicorn_worker.DoorWorker"
workers = 2
threads = 16
timeout = 30
graceful_timeout = 20
# Longer than nginx keeps its connections (deploy/nginx.conf), so that it is nginx who closes them.
keepalive = 40
# Many run side by side on one machine, and none takes commands from outside.
control_socket_disable = True
accesslog = None
loglevel = "warning"
# Its own lines quote requests that it cannot read: ours do not (shared/library_logs.py).
_HANDLERS = {"ours": {"class": "shared.library_logs.LibraryHandler"}}
_ERRORS = {"level": "WARNING", "handlers": ["ours"], "propagate": False}
logconfig_dict = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {},
    "handlers": _HANDLERS,
    "root": {"level": "WARNING", "handlers": ["ours"]},
    "loggers": {"gunicorn.error": _ERRORS},
}


def on_starting(server: Any) -> None:  # noqa: ANN401 - gunicorn has no types
    """Load the code before the door opens: who comes while workers start waits for their Redis alone."""
    importlib.import_module(server.app.app_uri.partition(":")[0])
