"""What chance may do to the stores: who writes what, which answers come, how much time goes by."""

from datetime import timedelta

from hypothesis import strategies as st
from hypothesis.stateful import (
    precondition,
)

from shared.domain.message import (
    InDoubt,
    MessageState,
    Priority,
    WhenClosed,
)
from shared.domain.provider_errors import ErrorRow, Scope
from shared.domain.retry import ErrorClass
from shared.domain.session_content import Text
from shared.domain.templates import Approval, Gate, TemplateId
from shared.providers.base import NOT_TAKEN, SILENT, THROTTLED, Rejected, Submitted
from shared.providers.meta import errors as meta_errors
from shared.store.changes import Resolution
from tests.builders import (
    DAY,
    call,
    template,
)
from tests.laws import CONTACTS, FINAL, SENDER

PENDING = template(gates={Gate.PROVIDER: Approval.PENDING, Gate.WHATSAPP: Approval.PENDING})
APPROVED = template(id=TemplateId(SENDER.account, "sollecito", "it"))
TEMPLATES = (PENDING, APPROVED)
SECOND = timedelta(seconds=1)
contacts = st.sampled_from(CONTACTS)
#: How often a call is made: a client repeats it when the answer was lost.
times = st.sampled_from([1, 1, 2])
texts = st.sampled_from(["ciao", "ciao", "ciao", "start", "stop"])
changes = st.sampled_from(
    [
        "resume",
        "resume",
        "resume",
        "halt",
        "halt_templates",
        "halt_a_minute",
        "opt_in",
        "opt_in",
        "opt_out",
        *Approval,
    ]
)
contents = st.sampled_from(
    [
        {"content": Text("ciao"), "templates": ()},
        {"content": Text("ciao"), "templates": (call(),)},
        {"content": Text("ciao"), "templates": (call("sollecito"),)},
        {"content": None, "templates": (call(),)},
        {"content": None, "templates": (call(), call("sollecito"))},
    ]
)
manners = st.fixed_dictionaries(
    {
        "to": contacts,
        "priority": st.sampled_from(Priority),
        "in_doubt": st.sampled_from(InDoubt),
        "when_closed": st.sampled_from(WhenClosed),
    }
)
apps = st.sampled_from(["orders", "orders", "desk"])
lifetimes = st.sampled_from([DAY, 600 * SECOND, 60 * SECOND, 5 * SECOND])
#: How long ago a contact wrote: now, with little of the window left, and with none.
ages = st.sampled_from([0 * SECOND, 5 * SECOND, DAY - 100 * SECOND, DAY - 50 * SECOND, DAY + SECOND])
ROWS = [
    *(
        ErrorRow(error_class=one, advice="…")
        for one in (ErrorClass.WINDOW, ErrorClass.PERMANENT, ErrorClass.HALT)
    ),
    NOT_TAKEN,
    NOT_TAKEN,
    SILENT,
    THROTTLED,
    ErrorRow(error_class=ErrorClass.RETRY, late="retry", advice="…"),
    ErrorRow(
        error_class=ErrorClass.THROTTLE, scope=Scope.PAIR, late="retry", minimum_wait=6 * SECOND, advice="…"
    ),
    meta_errors.row_of("131048"),
    meta_errors.row_of("131026"),
    meta_errors.row_of("132015"),
    meta_errors.row_of("132016"),
    meta_errors.row_of("132069"),
]
reports = st.sampled_from(
    [
        (MessageState.SENT, None),
        (MessageState.DELIVERED, None),
        (MessageState.READ, None),
    ]
    + [(MessageState.FAILED, row) for row in ROWS]
)
results = st.sampled_from([Submitted()] * 5 + [Rejected(code="1", row=row) for row in ROWS])
deeds = st.sampled_from(["cancel", "retry", "retry anything", "retry anything", *Resolution])
#: Any message there is, whatever became of it.
messages = st.runner().flatmap(lambda self: st.sampled_from(sorted(self.requests)))
pauses = st.sampled_from([0.1, 0.5, 1, 5, 16, 61, 300])
while_any = precondition(lambda self: self.states)
while_busy = precondition(lambda self: any(state not in FINAL for state in self.states.values()))
