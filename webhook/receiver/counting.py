"""Counts every POST to a sender's address: how it was answered, and how long that took."""

import time

import flask

from shared.deps import Deps

#: By status; what is not here is `failed`.
_OUTCOMES = {200: "recorded", 401: "refused", 403: "refused", 413: "too_large", 503: "unavailable"}


def install_counting(app: flask.Flask, deps: Deps) -> None:
    @app.before_request
    def start() -> None:
        flask.g.started_at = time.perf_counter()

    @app.after_request
    def count(response: flask.Response) -> flask.Response:
        sender = deps.sender((flask.request.view_args or {}).get("alias", ""))
        if sender is not None and flask.request.method == "POST":
            outcome = _OUTCOMES.get(response.status_code, "failed")
            deps.tallies.add(sender.business, f"webhooks_total:{sender.alias}:{outcome}")
            seconds = time.perf_counter() - flask.g.started_at
            deps.tallies.add_seconds(sender.business, "webhook_seconds", seconds)
        return response
