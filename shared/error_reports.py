"""Bugs told to Sentry, where one is configured: the kind of error, where it was, and our ids; nothing else.

An exception's text, local variables, requests and breadcrumbs never leave: what is sent is picked field by
field, not cleaned. A thread of the SDK's sends from a bounded queue, so that nobody waits for a dead Sentry;
it is made when first needed, in whatever process that is.
"""

import sys
from collections.abc import Callable, Mapping
from importlib.metadata import version
from typing import Any, cast

from shared.errors import SettingsError
from shared.observability import mask_people

OnBug = Callable[[Mapping[str, Any]], None]
#: Fields of a line of the log that become tags.
_TAGS = ("where", "error", "at", "request_id", "message_id", "sender", "app")
_SENT = ("event_id", "timestamp", "level", "platform", "release", "sdk", "exception", "tags")
_OF_A_FRAME = ("filename", "function", "module", "lineno", "in_app")


def error_reports(dsn: str, transport: Any = None) -> OnBug | None:  # noqa: ANN401 - of the SDK's types
    """What is to be called with the masked line of a bug; None: nobody wants to hear.

    `transport`: instead of the SDK's own. Raises SettingsError where the SDK is missing.
    """
    if not dsn:
        return None
    try:
        import sentry_sdk
        from sentry_sdk.utils import event_from_exception
    except ImportError as exc:
        mistake = "FINESTRA_SENTRY_DSN: install finestra with the extra `errors`, or leave it empty"
        raise SettingsError([mistake]) from exc
    client = sentry_sdk.Client(
        dsn=dsn,
        transport=transport,
        release=f"finestra@{version('finestra')}",
        default_integrations=False,
        auto_enabling_integrations=False,
        max_breadcrumbs=0,
        include_local_variables=False,
        include_source_context=False,
        before_send=cast("Any", _picked),
    )

    def on_bug(line: Mapping[str, Any]) -> None:
        error, event = sys.exc_info(), cast("Any", {})
        if error[1] is not None:
            event, _ = event_from_exception(error, client_options=client.options)
        tags = {name: str(line[name]) for name in _TAGS if line.get(name) is not None}
        client.capture_event(cast("Any", {**event, "level": "error", "tags": tags}))

    return on_bug


def _picked(event: Mapping[str, Any], _hint: object) -> dict[str, Any]:
    """The last thing before it leaves."""
    sent = {name: event[name] for name in _SENT if name in event}
    errors = event.get("exception", {}).get("values", [])
    return sent | {
        "exception": {"values": [_without_text(error) for error in errors]},
        "tags": mask_people(None, "", event.get("tags", {})),
    }


def _without_text(error: Mapping[str, Any]) -> dict[str, Any]:
    frames = (error.get("stacktrace") or {}).get("frames", [])
    return {
        "type": error.get("type"),
        "module": error.get("module"),
        "stacktrace": {
            "frames": [{name: frame[name] for name in _OF_A_FRAME if name in frame} for frame in frames]
        },
    }
