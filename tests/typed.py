"""The `finestra` command as on-call types it, against a door that listens."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from wsgiref.types import WSGIApplication

import structlog
from click.testing import CliRunner, Result
from flask import Flask
from werkzeug.serving import make_server

from cli.main import main


@contextmanager
def served(app: WSGIApplication) -> Iterator[str]:
    """Where it listens."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    with structlog.testing.capture_logs():  # what the server writes is no output of a command
        yield f"http://127.0.0.1:{server.port}"
    server.shutdown()
    server.server_close()


@contextmanager
def typed_against(api: Flask, *first: str) -> Iterator[Callable[..., Result]]:
    """Runs a command with an admin's key, unless it is told another; `first` are words before all others."""

    def run(*words: str, answer: str | None = None, key: str = "desk-key") -> Result:
        options = ["--url", url, "--key", key]
        done = CliRunner().invoke(main, [*first, *words, *options], input=answer, env={"COLUMNS": "200"})
        assert done.exit_code in (0, 1, 2), done.exception
        return done

    with served(api) as url:
        yield run
