"""The handler of the Celery door: accepts what a task carries as HTTP would, and lists what it refuses.

It knows neither Celery nor the broker. Whoever calls it acknowledges only after it has returned.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shared.acceptance import Receipt, Refusal, accept_one, read_submission, tell_accepted
from shared.configuration import App
from shared.deps import Deps
from shared.observability import LogEvent, get_logger

#: Reasons beside those of `RefusalCode`.
UNKNOWN_APP = "unknown_app"
SCOPE_MISSING = "scope_missing"
INVALID_REQUEST = "invalid_request"
NOT_JSON = "not_json"
#: It is no task of ours, or nobody can read it.
NOT_A_SUBMISSION = "not_a_submission"
INTERNAL_ERROR = "internal_error"
_LONGEST_KEY = 255


@dataclass(frozen=True, slots=True, kw_only=True)
class Handed:
    """What a task carries, as it came: anything may stand in it."""

    task_id: str
    arguments: Sequence[Any]
    named: Mapping[str, Any]

    def raw(self) -> str:
        carried = {"args": list(self.arguments), **self.named} if self.arguments else dict(self.named)
        return json.dumps(carried, ensure_ascii=False, default=str)


@dataclass(frozen=True, slots=True, kw_only=True)
class _No:
    reason: str
    errors: Mapping[str, Sequence[str]]


class Submissions:
    def __init__(self, deps: Deps) -> None:
        self._deps = deps
        self._configuration = deps.settings.configuration

    def take(self, handed: Handed) -> str:
        """What became of it, fit for Flower. Raises StoreUnavailableError: then it must come again."""
        app = self._app(handed)
        if isinstance(app, _No):
            return self._refused(handed, app)
        answer = self._accept(app, handed)
        if isinstance(answer, _No):
            return self._refused(handed, answer)
        tell_accepted(self._deps, app, answer)
        if not answer.is_repeat:
            get_logger().info(
                LogEvent.MESSAGE_ACCEPTED,
                message_id=answer.accepted.message_id.value,
                sender=answer.sender.alias,
                app=app.name,
                priority=answer.request.priority.name.lower(),
            )
        return answer.accepted.message_id.value

    def _refused(self, handed: Handed, no: _No) -> str:
        self.refuse(handed.task_id, handed.raw(), no.reason, handed.named, no.errors)
        return f"refused: {no.reason}"

    def refuse(
        self,
        task_id: str,
        raw: str,
        reason: str,
        named: Mapping[str, Any],
        errors: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        """List it for whoever is on call; safe to repeat. Raises StoreUnavailableError."""
        app = self._configuration.apps.get(str(named.get("app")))
        request = named.get("request")
        alias = request.get("sender") if isinstance(request, dict) else None
        sender = self._configuration.senders.get(str(alias))
        is_new = self._deps.refused_submissions.keep(
            self._business(app, sender.business if sender else None),
            task_id or hashlib.sha256(raw.encode("utf-8", "replace")).hexdigest(),
            raw,
            reason=reason,
            app=app.name if app else "",
            sender=sender.alias if sender else "",
            errors=json.dumps(errors or {}, ensure_ascii=False),
            now=self._deps.clock.now(),
        )
        if is_new:
            get_logger().error(
                LogEvent.SUBMISSION_REFUSED,
                reason=reason,
                app=app.name if app else None,
                sender=sender.alias if sender else None,
            )

    def _app(self, handed: Handed) -> App | _No:
        if handed.arguments:
            return _No(reason=INVALID_REQUEST, errors={"args": ["give request and app by name"]})
        unknown = sorted(map(str, {*handed.named} - {"request", "app", "idempotency_key"}))
        if unknown:
            known = "unknown argument; known here: request, app, idempotency_key"
            return _No(reason=INVALID_REQUEST, errors={name: [known] for name in unknown})
        app = self._configuration.apps.get(str(handed.named.get("app")))
        if app is None:
            return _No(reason=UNKNOWN_APP, errors={"app": ["there is no such app"]})
        if not app.may("messages"):
            return _No(reason=SCOPE_MISSING, errors={"app": ["needs the scope messages"]})
        return app

    def _accept(self, app: App, handed: Handed) -> Receipt | _No:
        key = handed.named.get("idempotency_key", handed.task_id)
        if not isinstance(key, str) or not 0 < len(key) <= _LONGEST_KEY:
            mend = f"a text of 1 to {_LONGEST_KEY} characters; without it the task's id counts"
            return _No(reason=INVALID_REQUEST, errors={"idempotency_key": [mend]})
        try:
            submission = read_submission(handed.named.get("request"), key)
        except (ValueError, RecursionError):
            mend = "use finite numbers, whole characters and a reasonable depth"
            return _No(reason=NOT_JSON, errors={"request": [mend]})
        answer = submission if isinstance(submission, Refusal) else accept_one(self._deps, app, submission)
        if isinstance(answer, Refusal):
            return _No(reason=answer.code, errors=answer.errors or {"request": [answer.detail]})
        return answer

    def _business(self, app: App | None, of_sender: str | None) -> str:
        """Where it is listed: with the sender that it names, else with the first of the app's or of all."""
        senders = self._configuration.senders.values()
        own = self._configuration.businesses_of(app) if app else ()
        return of_sender or next(iter(own), min((s.business for s in senders), default="default"))
