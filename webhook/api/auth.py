"""Who may come in: a key in `Authorization: Bearer`, a scope for what is asked, the senders it may use."""

import base64
from collections.abc import Callable, Mapping

from flask import g, request
from structlog.contextvars import bind_contextvars

from shared.acceptance import Refusal, choose_sender
from shared.configuration import AnySender, App
from shared.observability import LogEvent, get_logger
from shared.problems import Code
from webhook.api.context import caller, deps, door
from webhook.errors import ProblemError, problem_of

#: How a 401 asks for a key. Chromium reads the first challenge of a header only, and then asks its user.
ASK_PROGRAMS = 'Bearer realm="finestra"'
ASK_BROWSERS = f'Basic realm="finestra: a key as the password", charset="UTF-8", {ASK_PROGRAMS}'


def require(scopes: tuple[str, ...]) -> None:
    """Let the request pass when its key has one of `scopes`; without any, every key will do."""
    _let_in(_authenticate(_BEARER, ASK_PROGRAMS))
    if scopes and not any(g.caller.may(scope) for scope in scopes):
        needed = " or ".join(scopes)
        _log_refusal(needed)
        raise ProblemError(Code.SCOPE_MISSING, f"This needs the scope {needed}; the key does not have it.")


def require_reader(challenge: str = ASK_PROGRAMS) -> None:
    """Let whoever has a key read what is the same for all; a browser sends its key as a password.

    Only for documents: what a browser sends by itself must change nothing, and show nothing of anybody.
    """
    _let_in(_authenticate(_BEARER_OR_BASIC, challenge))


def own_senders() -> list[AnySender]:
    """The senders that the caller may use."""
    senders = deps().settings.configuration.senders.values()
    return [sender for sender in senders if caller().may_use(sender.alias)]


def sender_of_body(alias: str | None) -> AnySender:
    """The sender that a body names; what is wrong with it is a mistake in the body."""
    chosen = choose_sender(deps().settings.configuration, caller(), alias)
    if isinstance(chosen, Refusal):
        raise problem_of(chosen)
    return chosen


def sender_of_address(alias: str | None) -> AnySender:
    """The sender that `?sender=` or the path names."""
    if alias is not None and deps().sender(alias) is None:
        raise ProblemError(Code.UNKNOWN_SENDER, f"There is no such sender; {_names_own()}.")
    return sender_of_body(alias)


def _let_in(app: App) -> None:
    g.caller = app
    bind_contextvars(app=app.name)


def _names_own() -> str:
    return "this key may use " + (", ".join(sender.alias for sender in own_senders()) or "none")


def _log_refusal(missing: str) -> None:
    """By route: an address may hold a number."""
    get_logger().warning(LogEvent.ACCESS_REFUSED, missing=missing, route=str(request.url_rule))


def _authenticate(schemes: "_Schemes", challenge: str) -> App:
    scheme, _, sent = request.headers.get("Authorization", "").partition(" ")
    key_of = schemes.get(scheme.lower())
    # Werkzeug decodes headers as Latin-1; back to the bytes that came.
    presented = sent.strip().encode("latin-1", "replace")
    app = door().keyring.owner_of(key_of(presented)) if key_of else None
    if app is None:
        _log_refusal("key")
        raise ProblemError(
            Code.KEY_REQUIRED,
            "Send a key of yours as Authorization: Bearer KEY.",
            headers={"WWW-Authenticate": challenge},
        )
    return app


def _password(credentials: bytes) -> bytes:
    """RFC 7617, read 2026-11: user, colon, password. The user is not looked at."""
    try:
        return base64.b64decode(credentials, validate=True).partition(b":")[2]
    except ValueError:
        return b""


#: By scheme, how a key is read from what came.
_Schemes = Mapping[str, Callable[[bytes], bytes]]
_BEARER: _Schemes = {"bearer": bytes}
_BEARER_OR_BASIC: _Schemes = {"bearer": bytes, "basic": _password}
