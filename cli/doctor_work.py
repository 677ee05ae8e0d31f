"""Checks of the work: does a worker work, what is stopped and since when, what waits for a hand."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta

from cli.findings import Finding, error, ok, warning
from shared.clock import rfc3339
from shared.configuration import AnySender, App
from shared.deps import Deps
from shared.domain.halts import HaltKind
from shared.store.quarantine import Quarantine
from shared.template_use import TemplateInUse, in_use

#: The ticker looks every half second.
_LATE = timedelta(seconds=10)
#: After this many the app is taken for away (shared/store/callbacks.py).
_AWAY_AFTER = 3


def check_beats(beats: Mapping[str, datetime | None], *, at: datetime) -> Iterator[Finding]:
    for business, beat in beats.items():
        todo = "start a worker, or look at why it died; see FinestraNoWorker"
        if beat is None:
            yield error("worker", "none ever looked at what is due", todo, about=business)
        elif at - beat > _LATE:
            yield error("worker", f"none since {rfc3339(beat)}", todo, about=business)
        else:
            yield ok("worker", "one looked just now", about=business)


def check_sender(deps: Deps, sender: AnySender) -> Iterator[Finding]:
    state, now = deps.senders.get(sender), deps.clock.now()
    for halt in state.live_halts(now):
        since = rfc3339(halt.since) if halt.since else "an unknown time"
        what = "everything" if halt.kind is HaltKind.ALL else f"{halt.kind} messages"
        seen = f"{what} halted by {halt.source} {halt.code}".rstrip() + f" since {since}"
        todo = (
            f"`finestra sender list` says why; mend it, `finestra sender resume {sender.alias}`; "
            "see FinestraSenderHalted"
        )
        yield error("sender", seen, todo, about=sender.alias)
    circuit = state.circuit
    if circuit.is_open:
        since = rfc3339(circuit.since) if circuit.since else "an unknown time"
        todo = "wait: one message tries now and then, then the rest goes; see FinestraProviderAway"
        yield warning("circuit", f"provider away since {since} ({circuit.why})", todo, about=sender.alias)
    if not state.live_halts(now) and not circuit.is_open:
        yield ok("sender", "sends", about=sender.alias)


def check_templates(deps: Deps) -> Iterator[Finding]:
    used = in_use(deps, deps.settings.configuration.senders.values())
    ill = [one for one in used if not one.is_sendable]
    if not ill:
        yield ok("templates", f"all {len(used)} templates in use can be sent")
    yield from map(_of_template, ill)


def _of_template(one: TemplateInUse) -> Finding:
    seen = f"{one.name}/{one.language} is {one.status}{_since(one.since)}, {one.waiting} messages wait"
    show = f"finestra template show {one.name} {one.language} --sender {one.sender}"
    todo = f"`{show}` says why; docs/templates.md what to do"
    finding = error if one.waiting else warning
    return finding("templates", seen, todo, about=one.sender)


def check_callbacks(deps: Deps, app: App) -> Iterator[Finding]:
    for business in deps.settings.configuration.businesses_of(app):
        state = deps.callbacks.state(business, app.name)
        if state.parked:
            todo = f"mend the app, then `finestra callbacks retry {app.name}`; see FinestraCallbacksParked"
            seen = f"{state.parked} events parked{_since(state.parked_since)}"
            yield warning("callbacks", seen, todo, about=app.name)
        elif state.failures_in_a_row >= _AWAY_AFTER:
            seen = f"{state.failures_in_a_row} failures in a row ({state.last_reason})"
            seen += f"{_since(state.failing_since)}, {state.waiting} wait"
            yield warning("callbacks", seen, "look at the app's callback_url", about=app.name)
        else:
            yield ok("callbacks", f"{state.waiting} contacts' events wait", about=app.name)


def check_set_aside(deps: Deps, businesses: Iterable[str]) -> Iterator[Finding]:
    for business in businesses:
        kept, refused = deps.quarantine.count(business), deps.refused_submissions.count(business)
        if kept:
            todo = (
                "`finestra quarantine list` says why; mend and replay, or delete; see FinestraQuarantineGrows"
            )
            seen = f"{kept} updates could not be read{_oldest(deps.quarantine, business)}"
            yield warning("quarantine", seen, todo, about=business)
        if refused:
            todo = "`finestra submissions list` names what is wrong; see FinestraSubmissionsRefused"
            seen = f"{refused} were refused at the Celery door{_oldest(deps.refused_submissions, business)}"
            yield warning("submissions", seen, todo, about=business)
        if not kept and not refused:
            yield ok("quarantine", "empty", about=business)


def _oldest(kept: Quarantine, business: str) -> str:
    return _since(next((entry.at for entry in kept.oldest_first(business)), None))


def _since(moment: datetime | None) -> str:
    return f" since {rfc3339(moment)}" if moment else ""
