"""`/docs` and `/docs/errors`: calls and errors on pages to read, written from what the code itself uses.

They hold nothing of anybody and no script, and load nothing: one style stands in the page.
"""

import base64
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from http import HTTPStatus
from itertools import groupby
from typing import Any

from flask import Flask, Response, make_response, render_template, request

from shared.domain.lint.rules import RULES
from shared.explanation import EXPLANATIONS
from shared.problems import Code, Kind, kinds
from shared.provider_codes import provider_codes
from webhook.api.auth import ASK_BROWSERS, own_senders, require_reader
from webhook.api.docs_calls import Group, Specification, groups_of

_NUMBER = "+393331234567"
_SENDER = "shop"


def install_docs(app: Flask, specification: Callable[[], Specification]) -> None:
    """`specification`: what `/openapi.json` answers."""

    @cache
    def groups() -> Sequence[Group]:
        return groups_of(specification())

    def calls() -> Response:
        require_reader(ASK_BROWSERS)
        return _page(
            "calls.html",
            here="calls",
            about=specification()["info"]["description"],
            groups=groups(),
            address=request.host_url,
            first_message=_first_message(),
        )

    app.add_url_rule("/docs", "docs", calls)
    app.add_url_rule("/docs/errors", "docs_errors", _errors)


def _errors() -> Response:
    require_reader(ASK_BROWSERS)
    return _page(
        "errors.html",
        here="errors",
        statuses=_by_status(kinds()),
        rules=EXPLANATIONS.items(),
        lint=RULES.items(),
        providers=provider_codes(),
    )


def _first_message() -> str:
    """One from a sender that the key may use."""
    alias = next((sender.alias for sender in own_senders()), _SENDER)
    return json.dumps({"sender": alias, "to": _NUMBER, "text": "Buongiorno!"}, ensure_ascii=False)


def _by_status(rows: Mapping[Code, Kind]) -> list[tuple[HTTPStatus, list[tuple[Code, Kind]]]]:
    return [(status, list(those)) for status, those in groupby(rows.items(), lambda row: row[1].status)]


def _page(template: str, **values: Any) -> Response:  # noqa: ANN401 - what a template shows
    policy = _policy(render_template("page.css"))
    response = make_response(render_template(template, policy=policy, **values))
    response.headers["Content-Security-Policy"] = f"{policy}; frame-ancestors 'none'"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["Cache-Control"] = "private, no-cache"
    return response


def _policy(style: str) -> str:
    """Nothing is loaded or run, and no style but ours counts."""
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
