"""What hypothesis draws from: times, records, templates, requests and all the facts of a decision."""

from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from shared.domain.consent import Category, Consent, ConsentRecord, ConsentStatus
from shared.domain.identifiers import ContactId
from shared.domain.message import MessageRequest, WhenClosed, WhenOpen
from shared.domain.routes import RouteKind
from shared.domain.routing import Facts, TemplatePolicy
from shared.domain.session_content import Text
from shared.domain.templates import Approval, Gate, TemplateStatus
from shared.domain.window import Window
from tests.builders import DAY, NOW, call, opt_in, request, template

BODY = "Ciao {{1}}, il tuo ordine {{2}} è pronto."
MINUTE = timedelta(minutes=1)
#: A contact of whom only a business-scoped id is known.
NAMELESS = ContactId("NL.90011223344")

ulids = st.text("0123456789ABCDEFGHJKMNPQRSTVWXYZ", min_size=26, max_size=26)
phone_numbers = st.from_regex(r"\+[1-9][0-9]{6,14}", fullmatch=True)
bsuids = st.from_regex(r"[A-Z]{2}\.(ENT\.)?[A-Za-z0-9]{1,128}", fullmatch=True)
moments = st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
#: Around NOW, dense enough to hit its edges, in whole milliseconds as all that is stored.
near = st.one_of(
    st.sampled_from([timedelta(0), MINUTE, -MINUTE, DAY, -DAY, MINUTE - DAY, 2 * MINUTE - DAY]),
    st.integers(-2 * 86_400_000, 2 * 86_400_000).map(lambda ms: timedelta(milliseconds=ms)),
).map(lambda distance: NOW + distance)

records = st.builds(
    ConsentRecord, status=st.sampled_from(ConsentStatus), at=near, source=st.just("test"), evidence=st.none()
)
consents = st.dictionaries(st.sampled_from(Category), records).map(Consent)
windows = st.builds(Window, last_inbound_at=st.none() | near, refused_at=st.none() | near)
templates = st.builds(
    template,
    category=st.sampled_from(Category),
    body=st.sampled_from([BODY, "Senza variabili."]),
    gates=st.fixed_dictionaries({gate: st.sampled_from(Approval) for gate in Gate}),
    stopped=st.sampled_from([None, TemplateStatus.PAUSED, TemplateStatus.DISABLED, TemplateStatus.ARCHIVED]),
    original_category=st.none() | st.sampled_from(Category),
)

#: What may stand in a message's way, each drawn by itself.
_ASKED = {
    "to": st.just(NAMELESS),
    "category": st.sampled_from(Category),
    "when_closed": st.sampled_from(WhenClosed),
    "nudge_for": st.just("msg_0"),
    "confirms_opt_out_at": near,
    "expires_at": near,
}
#: Every fact but the clock, the window and its margin, which are always drawn.
SEEN = {
    "consent": consents,
    "last_inbound_at": near,
    "templates": st.lists(st.none() | templates, min_size=1, max_size=3).map(tuple),
    "template_policy": st.builds(
        TemplatePolicy,
        refused=st.frozensets(st.sampled_from(Category), max_size=1),
        stop_on_change=st.booleans(),
    ),
    "capped_until": st.dictionaries(st.sampled_from(Category), near),
    "halted_kinds": st.frozensets(st.sampled_from([RouteKind.SESSION, RouteKind.TEMPLATE])),
    "messaging_limit_until": near,
    "pair_limit_until": near,
    "sender_limit_until": near,
    "is_number_known": st.booleans(),
    "is_number_given_up": st.booleans(),
    "has_nudge_failed": st.booleans(),
}


@st.composite
def decisions(draw: st.DrawFn) -> tuple[MessageRequest, Facts]:
    """A request that the doors would accept with any window; few things in its way, or nothing would go."""
    obstacles = draw(st.sets(st.sampled_from([*_ASKED, *SEEN]), max_size=4))
    asked = {name: draw(strategy) for name, strategy in _ASKED.items() if name in obstacles}
    seen = {name: draw(strategy) for name, strategy in SEEN.items() if name in obstacles}
    known = seen.setdefault("templates", draw(st.sampled_from([(), (template(),)])))
    seen.setdefault("consent", Consent(dict.fromkeys(Category, opt_in())))
    if known:
        asked["when_open"] = draw(st.sampled_from(WhenOpen))
        asked["content"] = draw(st.sampled_from([None, Text("Ciao Anna")]))
    margin = draw(st.sampled_from([MINUTE, 5 * MINUTE]))
    return (
        request(templates=tuple(call() for _ in known), **asked),
        Facts(now=NOW, window=draw(windows), margin=margin, **seen),
    )
