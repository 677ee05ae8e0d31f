"""Who may come in: a key in `Authorization: Bearer`, a scope for what is asked, the senders it may use."""

from flask import g, request
from structlog.contextvars import bind_contextvars

from shared.acceptance import Refusal, choose_sender
from shared.configuration import AnySender, App
from shared.observability import LogEvent, get_logger
from shared.problems import Code
from webhook.api.context import caller, deps, door
from webhook.errors import ProblemError, problem_of


def require(scopes: tuple[str, ...]) -> None:
    """Let the request pass when its key has one of `scopes`; without any, every key will do."""
    g.caller = _authenticate()
    bind_contextvars(app=g.caller.name)
    if scopes and not any(g.caller.may(scope) for scope in scopes):
        needed = " or ".join(scopes)
        _log_refusal(needed)
        raise ProblemError(Code.SCOPE_MISSING, f"This needs the scope {needed}; the key does not have it.")


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


def _names_own() -> str:
    return "this key may use " + (", ".join(sender.alias for sender in own_senders()) or "none")


def _log_refusal(missing: str) -> None:
    """By route: an address may hold a number."""
    get_logger().warning(LogEvent.ACCESS_REFUSED, missing=missing, route=str(request.url_rule))


def _authenticate() -> App:
    scheme, _, key = request.headers.get("Authorization", "").partition(" ")
    # Werkzeug decodes headers as Latin-1; back to the bytes that came.
    presented = key.strip().encode("latin-1", "replace")
    app = door().keyring.owner_of(presented) if scheme.lower() == "bearer" else None
    if app is None:
        _log_refusal("key")
        raise ProblemError(
            Code.KEY_REQUIRED,
            "Send a key of yours as Authorization: Bearer KEY.",
            headers={"WWW-Authenticate": 'Bearer realm="finestra"'},
        )
    return app
