"""How a provider misbehaves when told to.

"error" and "no_body" refuse a request unseen. "late_error", "drop" and "hang" handle it as usual, so
its message may well arrive; what goes wrong is the report or the answer. "stale_link" is for a lookup of
media at Meta: the link it gives is over already.
"""

from dataclasses import dataclass

from sandbox.shapes import ScriptError, is_number

_KINDS = {"error", "late_error", "drop", "no_body", "hang", "stale_link"}
_NEED_CODE = {"error", "late_error"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One misbehaviour, used up by one request."""

    kind: str
    #: Meta's or CM.com's error code, for "error" and "late_error".
    code: int | None = None
    #: HTTP status, for "error" and "no_body"; None: the one that goes with the code.
    status: int | None = None
    #: How long "hang" withholds the answer.
    seconds: float = 30
    #: What an error says besides its code.
    details: str = "the sandbox was told to fail"

    @property
    def refuses_unseen(self) -> bool:
        return self.kind in {"error", "no_body"}


def parse_fault(raw: dict[str, object]) -> Fault:
    """A fault out of its JSON (`number` and `times` left out); raises `ScriptError`."""
    kind, code, status = raw.get("kind"), raw.get("code"), raw.get("status")
    seconds = raw.get("seconds", 30)
    if not isinstance(kind, str) or kind not in _KINDS:
        raise ScriptError(f"'kind' must be one of {', '.join(sorted(_KINDS))}")
    if not isinstance(code, int | None) or (kind in _NEED_CODE and code is None):
        raise ScriptError("'code' must be an error code of the provider")
    if not isinstance(status, int | None) or not is_number(seconds):
        raise ScriptError("'status' must be an HTTP status and 'seconds' a number")
    details = str(raw.get("details", "the sandbox was told to fail"))
    return Fault(kind=kind, code=code, status=status, seconds=seconds, details=details)
