"""The contract's table of routes, row by row: what is asked and seen, and the route that follows."""

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from shared.domain.consent import Category, Consent
from shared.domain.message import WhenClosed, WhenOpen
from shared.domain.routes import RouteKind, Rule
from shared.domain.routing import Facts, TemplatePolicy
from shared.domain.templates import Approval, Gate, TemplateStatus
from shared.domain.window import CLOSED, Window
from tests.builders import BOTH_APPROVED, DAY, NOW, call, opt_in, opt_out, template
from tests.unit.domain.strategies import NAMELESS

SECOND = timedelta(seconds=1)
MARGIN = timedelta(seconds=60)
LATER = NOW + 60 * SECOND
OPEN = Window(last_inbound_at=NOW - SECOND)
EXACTLY_THE_MARGIN = Window(last_inbound_at=NOW - DAY + MARGIN)
CLOSING = Window(last_inbound_at=NOW - DAY + MARGIN - SECOND)
JUST_CLOSED = Window(last_inbound_at=NOW - DAY)
REFUSED_BY_PROVIDER = Window(last_inbound_at=NOW - 2 * SECOND, refused_at=NOW - SECOND)
OPTED_IN = Consent(dict.fromkeys(Category, opt_in()))
OPTED_OUT = Consent(dict.fromkeys(Category, opt_out(NOW - SECOND)))
PENDING = {**BOTH_APPROVED, Gate.WHATSAPP: Approval.PENDING}
REJECTED = {**BOTH_APPROVED, Gate.WHATSAPP: Approval.REJECTED}
CAPPED = dict.fromkeys(Category, LATER)
BOTH_KINDS = frozenset({RouteKind.SESSION, RouteKind.TEMPLATE})
APPROVED = template()
PAUSED = template(stopped=TemplateStatus.PAUSED)
SUBMITTED = template(gates=PENDING)
ONE_VARIABLE = template(body="Ciao {{1}}, eccoci.")
MARKETING = template(category=Category.MARKETING, original_category=Category.MARKETING)
AUTHENTICATION = template(category=Category.AUTHENTICATION, original_category=Category.AUTHENTICATION)
RE_LABELLED = template(category=Category.MARKETING, original_category=Category.UTILITY)


def facts(**changes: object) -> Facts:
    values = {
        "now": NOW,
        "window": CLOSED,
        "margin": MARGIN,
        "consent": OPTED_IN,
        "templates": (APPROVED,),
    }
    return Facts(**{**values, **changes})


@dataclass(frozen=True)
class Row:
    """A request and facts, both good but for what is said here, and the route that they take."""

    row: str
    label: str
    kind: RouteKind
    rule: Rule
    #: What differs in the request, and in the facts.
    asked: dict[str, Any] = field(default_factory=dict)
    seen: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.row}: {self.label}"


SESSION, TEMPLATE, HOLD, DEFER, REFUSE = RouteKind
NO_TEMPLATE = ({"templates": ()}, {"templates": ()})
ONLY_TEMPLATE = {"content": None}
WAIT = {"when_closed": WhenClosed.WAIT}
NUDGE = {"when_closed": WhenClosed.NUDGE}
A_NUDGE = {"content": None, "when_open": WhenOpen.TEMPLATE, "nudge_for": "msg_0"}
CONFIRMATION = {"confirms_opt_out_at": NOW - SECOND, "templates": (), "when_closed": WhenClosed.REFUSE}
REFUSE_WHEN_CLOSED = {"when_closed": WhenClosed.REFUSE}
PREFER_TEMPLATE = {"when_open": WhenOpen.TEMPLATE}
TWO = {"templates": (call(), call("alternativo"))}
OTHER = template(id=replace(APPROVED.id, name="alternativo"))
WHAT = [
    Row("1", "at its expiry", REFUSE, Rule.EXPIRED, {"expires_at": NOW}, {"window": OPEN}),
    Row("1", "after its expiry", REFUSE, Rule.EXPIRED, {"expires_at": NOW - SECOND}, {"window": OPEN}),
    Row("1", "a second before its expiry", TEMPLATE, Rule.WINDOW_CLOSED, {"expires_at": NOW + SECOND}),
    Row("2", "opted out, window closed", REFUSE, Rule.OPTED_OUT, {}, {"consent": OPTED_OUT}),
    Row(
        "2",
        "opted out, window open",
        REFUSE,
        Rule.OPTED_OUT,
        {},
        {"consent": OPTED_OUT, "window": OPEN, "last_inbound_at": NOW - SECOND},
    ),
    Row(
        "2",
        "opted out in the second of the last message",
        REFUSE,
        Rule.OPTED_OUT,
        {},
        {"consent": OPTED_OUT, "window": OPEN, "last_inbound_at": NOW - SECOND / 2},
    ),
    Row(
        "2",
        "opted out, and has written since",
        SESSION,
        Rule.WINDOW_OPEN,
        {},
        {"consent": OPTED_OUT, "window": OPEN, "last_inbound_at": NOW},
    ),
    Row(
        "2",
        "opted out of another category",
        SESSION,
        Rule.WINDOW_OPEN,
        {},
        {"consent": Consent({Category.MARKETING: opt_out()}), "window": OPEN},
    ),
    Row(
        "2",
        "the confirmation of it",
        SESSION,
        Rule.OPT_OUT_CONFIRMATION,
        CONFIRMATION,
        {"consent": OPTED_OUT, "window": OPEN, "last_inbound_at": NOW - SECOND, "templates": ()},
    ),
    Row(
        "2",
        "its confirmation, window closed",
        REFUSE,
        Rule.WINDOW_CLOSED,
        CONFIRMATION,
        {"consent": OPTED_OUT, "templates": ()},
    ),
    Row(
        "2",
        "its confirmation, opted in since",
        REFUSE,
        Rule.CONFIRMATION_NOT_NEEDED,
        CONFIRMATION,
        {"window": OPEN, "templates": ()},
    ),
    Row(
        "2",
        "the confirmation of a later opt-out than what stands",
        REFUSE,
        Rule.CONFIRMATION_NOT_NEEDED,
        {**CONFIRMATION, "confirms_opt_out_at": NOW},
        {"consent": OPTED_OUT, "window": OPEN, "templates": ()},
    ),
    Row("3", "window open", SESSION, Rule.WINDOW_OPEN, {}, {"window": OPEN}),
    Row("3", "exactly the margin left", SESSION, Rule.WINDOW_OPEN, {}, {"window": EXACTLY_THE_MARGIN}),
    Row(
        "3",
        "window open, nothing known of consent",
        SESSION,
        Rule.WINDOW_OPEN,
        {},
        {"window": OPEN, "consent": Consent()},
    ),
    Row(
        "3",
        "window open, no template",
        SESSION,
        Rule.WINDOW_OPEN,
        NO_TEMPLATE[0],
        {**NO_TEMPLATE[1], "window": OPEN},
    ),
    Row("3", "only a template, rendered", SESSION, Rule.WINDOW_OPEN, ONLY_TEMPLATE, {"window": OPEN}),
    Row("3", "window open although it may wait", SESSION, Rule.WINDOW_OPEN, WAIT, {"window": OPEN}),
    Row("4", "window closed", HOLD, Rule.WAITING_FOR_WINDOW, WAIT),
    Row("4", "window closing", HOLD, Rule.WAITING_FOR_WINDOW, WAIT, {"window": CLOSING}),
    Row("4", "asked to nudge, window closed", HOLD, Rule.NUDGED, NUDGE),
    Row("4", "asked to nudge, window closing", HOLD, Rule.NUDGED, NUDGE, {"window": CLOSING}),
    Row("4", "asked to nudge, window open", SESSION, Rule.WINDOW_OPEN, NUDGE, {"window": OPEN}),
    Row("4", "its nudge failed", REFUSE, Rule.NUDGE_FAILED, NUDGE, {"has_nudge_failed": True}),
    Row(
        "4",
        "its nudge failed, window open",
        SESSION,
        Rule.WINDOW_OPEN,
        NUDGE,
        {"has_nudge_failed": True, "window": OPEN},
    ),
    Row("4", "a nudge, window closed", TEMPLATE, Rule.WINDOW_CLOSED, A_NUDGE),
    Row("4", "a nudge, window closing", TEMPLATE, Rule.WINDOW_CLOSING, A_NUDGE, {"window": CLOSING}),
    Row("4", "a nudge, window open", REFUSE, Rule.NUDGE_NOT_NEEDED, A_NUDGE, {"window": OPEN}),
    Row("5", "window closed", REFUSE, Rule.WINDOW_CLOSED, REFUSE_WHEN_CLOSED),
    Row("5", "window closing", REFUSE, Rule.WINDOW_CLOSED, REFUSE_WHEN_CLOSED, {"window": CLOSING}),
    Row("6", "window closed", REFUSE, Rule.WINDOW_CLOSED_NO_TEMPLATE, *NO_TEMPLATE),
    Row(
        "6",
        "window closing",
        REFUSE,
        Rule.WINDOW_CLOSED_NO_TEMPLATE,
        NO_TEMPLATE[0],
        {**NO_TEMPLATE[1], "window": CLOSING},
    ),
    Row("7", "template unknown", REFUSE, Rule.TEMPLATE_NOT_APPROVED, {}, {"templates": (None,)}),
    Row(
        "7",
        "template rejected",
        REFUSE,
        Rule.TEMPLATE_NOT_APPROVED,
        {},
        {"templates": (template(gates=REJECTED),)},
    ),
    Row(
        "7",
        "template disabled",
        REFUSE,
        Rule.TEMPLATE_NOT_APPROVED,
        {},
        {"templates": (template(stopped=TemplateStatus.DISABLED),)},
    ),
    Row(
        "7",
        "template archived",
        REFUSE,
        Rule.TEMPLATE_NOT_APPROVED,
        {},
        {"templates": (template(stopped=TemplateStatus.ARCHIVED),)},
    ),
    Row("7", "the next alternate", TEMPLATE, Rule.WINDOW_CLOSED, TWO, {"templates": (None, OTHER)}),
    Row("7", "no alternate left", REFUSE, Rule.TEMPLATE_NOT_APPROVED, TWO, {"templates": (None, None)}),
    Row(
        "7a",
        "values that do not fit",
        REFUSE,
        Rule.TEMPLATE_MISMATCH,
        {},
        {"templates": (ONE_VARIABLE,)},
    ),
    Row(
        "7a",
        "values that do not fit, only a template, window open",
        REFUSE,
        Rule.TEMPLATE_MISMATCH,
        ONLY_TEMPLATE,
        {"templates": (ONE_VARIABLE,), "window": OPEN},
    ),
    Row(
        "8",
        "category refused by policy",
        REFUSE,
        Rule.TEMPLATE_CATEGORY_REFUSED,
        {},
        {
            "templates": (MARKETING,),
            "template_policy": TemplatePolicy(refused=frozenset({MARKETING.category})),
        },
    ),
    Row(
        "8",
        "category changed, policy stops",
        REFUSE,
        Rule.TEMPLATE_CATEGORY_REFUSED,
        {},
        {"templates": (RE_LABELLED,)},
    ),
    Row(
        "8",
        "category changed, policy goes on",
        TEMPLATE,
        Rule.WINDOW_CLOSED,
        {},
        {"templates": (RE_LABELLED,), "template_policy": TemplatePolicy(stop_on_change=False)},
    ),
    Row("9", "nothing known of consent", REFUSE, Rule.NO_OPT_IN, {}, {"consent": Consent()}),
    Row(
        "9",
        "opt-in to another category than the template's",
        REFUSE,
        Rule.NO_OPT_IN,
        {},
        {"templates": (MARKETING,), "consent": Consent({Category.UTILITY: opt_in()})},
    ),
    Row(
        "9",
        "opted out of the template's category, not of the request's",
        REFUSE,
        Rule.OPTED_OUT,
        {},
        {
            "templates": (MARKETING,),
            "consent": Consent({Category.UTILITY: opt_in(), Category.MARKETING: opt_out()}),
        },
    ),
    Row(
        "9",
        "opted out, has written since, window closed again",
        REFUSE,
        Rule.OPTED_OUT,
        {},
        {"consent": OPTED_OUT, "last_inbound_at": NOW},
    ),
    Row(
        "10",
        "authentication to somebody without a number",
        REFUSE,
        Rule.PHONE_NUMBER_REQUIRED,
        {"to": NAMELESS, "category": Category.AUTHENTICATION},
        {"templates": (AUTHENTICATION,)},
    ),
    Row(
        "10",
        "authentication to a number",
        TEMPLATE,
        Rule.WINDOW_CLOSED,
        {"category": Category.AUTHENTICATION},
        {"templates": (AUTHENTICATION,)},
    ),
    Row("10", "utility to somebody without a number", TEMPLATE, Rule.WINDOW_CLOSED, {"to": NAMELESS}),
    Row(
        "10",
        "capped by the provider",
        REFUSE,
        Rule.RECIPIENT_CAPPED,
        {},
        {"capped_until": CAPPED},
    ),
    Row(
        "10",
        "capped for another category",
        TEMPLATE,
        Rule.WINDOW_CLOSED,
        {},
        {"capped_until": {Category.MARKETING: LATER}},
    ),
    Row("10", "the cap is over", TEMPLATE, Rule.WINDOW_CLOSED, {}, {"capped_until": {Category.UTILITY: NOW}}),
    Row("11", "template submitted", DEFER, Rule.TEMPLATE_PENDING, {}, {"templates": (SUBMITTED,)}),
    Row("11", "template paused", DEFER, Rule.TEMPLATE_PAUSED, {}, {"templates": (PAUSED,)}),
    Row("11", "the next alternate", TEMPLATE, Rule.WINDOW_CLOSED, TWO, {"templates": (PAUSED, OTHER)}),
    Row(
        "11",
        "waits rather than refuses when an alternate is unknown",
        DEFER,
        Rule.TEMPLATE_PAUSED,
        TWO,
        {"templates": (PAUSED, None)},
    ),
    Row(
        "11",
        "waits for the alternate when the first is unknown",
        DEFER,
        Rule.TEMPLATE_PENDING,
        TWO,
        {"templates": (None, replace(SUBMITTED, id=OTHER.id))},
    ),
    Row("12", "window closed", TEMPLATE, Rule.WINDOW_CLOSED),
    Row("12", "closed exactly 24 hours after", TEMPLATE, Rule.WINDOW_CLOSED, {}, {"window": JUST_CLOSED}),
    Row("12", "refused by provider", TEMPLATE, Rule.WINDOW_CLOSED, {}, {"window": REFUSED_BY_PROVIDER}),
    Row("12", "window closing", TEMPLATE, Rule.WINDOW_CLOSING, {}, {"window": CLOSING}),
    Row("12", "asked for a template", TEMPLATE, Rule.TEMPLATE_PREFERRED, PREFER_TEMPLATE, {"window": OPEN}),
    Row(
        "12",
        "only a template that may not go as text",
        TEMPLATE,
        Rule.TEMPLATE_PREFERRED,
        ONLY_TEMPLATE,
        {"window": OPEN, "templates": (MARKETING,)},
    ),
    Row(
        "12",
        "a template is wanted and the window is open although it may wait",
        TEMPLATE,
        Rule.TEMPLATE_PREFERRED,
        {**PREFER_TEMPLATE, **WAIT},
        {"window": OPEN},
    ),
]
WHEN = [
    Row("when", "halted", DEFER, Rule.SENDER_HALTED, {}, {"halted_kinds": BOTH_KINDS}),
    Row("when", "halted, open", DEFER, Rule.SENDER_HALTED, {}, {"halted_kinds": BOTH_KINDS, "window": OPEN}),
    Row(
        "when",
        "halted for templates only",
        SESSION,
        Rule.WINDOW_OPEN,
        {},
        {"halted_kinds": frozenset({RouteKind.TEMPLATE}), "window": OPEN},
    ),
    Row("when", "messaging limit", DEFER, Rule.MESSAGING_LIMIT, {}, {"messaging_limit_until": LATER}),
    Row(
        "when",
        "messaging limit, window closing",
        DEFER,
        Rule.MESSAGING_LIMIT,
        {},
        {"messaging_limit_until": LATER, "window": CLOSING},
    ),
    Row(
        "when",
        "messaging limit, a session message",
        SESSION,
        Rule.WINDOW_OPEN,
        {},
        {"messaging_limit_until": LATER, "window": OPEN},
    ),
    Row(
        "when",
        "messaging limit, a template inside the window",
        TEMPLATE,
        Rule.TEMPLATE_PREFERRED,
        PREFER_TEMPLATE,
        {"messaging_limit_until": LATER, "window": OPEN},
    ),
    Row("when", "pair limit", DEFER, Rule.PAIR_LIMIT, {}, {"pair_limit_until": LATER, "window": OPEN}),
    Row("when", "sender limit", DEFER, Rule.SENDER_LIMIT, {}, {"sender_limit_until": LATER}),
    Row("when", "the limit is over", TEMPLATE, Rule.WINDOW_CLOSED, {}, {"sender_limit_until": NOW}),
]
TABLE = WHAT + WHEN
