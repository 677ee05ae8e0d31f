"""One-time codes: WhatsApp fixes their text, and adds the button that copies the code."""

from collections.abc import Iterator

from shared.domain.lint.findings import Candidate, Finding, found
from shared.domain.lint.texts import has_emoji
from shared.domain.template_parts import ButtonKind, TemplateContent


def check_authentication(candidate: Candidate) -> Iterator[Finding]:
    content = candidate.content
    if not candidate.is_authentication:
        for index, button in enumerate(content.buttons):
            if button.kind is ButtonKind.ONE_TIME_CODE:
                mend = "only templates with the tag AUTHENTICATION have this button"
                yield found("wrong_tag", f"buttons.{index}.kind", mend)
        return
    if candidate.policy.provider == "cm":
        mend = "one-time codes are known to work with Meta only: how CM.com takes them is not documented"
        yield found("unsupported_by_provider", "tag", mend)
        return
    yield from _check_preset(content)


def _check_preset(content: TemplateContent) -> Iterator[Finding]:
    """Which words WhatsApp puts there is not known to us in every language; what cannot stand there is."""
    if content.header is not None:
        yield found("authentication_preset", "header", "leave it out: one-time codes have no header")
    if len(content.variables) != 1:
        yield found("authentication_preset", "body", "one variable, the code, in WhatsApp's own text")
    if "://" in content.body or "www." in content.body.lower():
        yield found("authentication_preset", "body", "leave out the address: it has none")
    if has_emoji(content.body):
        yield found("authentication_preset", "body", "leave out the emoji: it has none")
    if [button.kind for button in content.buttons] != [ButtonKind.ONE_TIME_CODE]:
        mend = "one button of kind one_time_code, and no other"
        yield found("authentication_preset", "buttons", mend)
