"""`finestra template lint`: what WhatsApp or the provider would refuse, offline, for people and for CI."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import click

from cli.options import json_option
from cli.screen import print_json
from cli.template_files import Entry, content_of, read_entries
from shared.domain.lint import Finding, Level, LintPolicy, PromotionalContent, in_provider_form, lint
from shared.domain.template_parts import TemplateContent

_COLOURS = {Level.ERROR: "red", Level.WARNING: "yellow"}


class _UnreadableError(click.ClickException):
    exit_code = 2


@dataclass(frozen=True, slots=True)
class Located:
    """A finding with its place in a file."""

    file: str
    line: int
    template: str
    level: Level
    code: str
    field: str
    mend: str
    source: str


@click.command("lint")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option(
    "--policy",
    type=click.Choice([each.value for each in PromotionalContent]),
    default=PromotionalContent.REFUSE.value,
    show_default=True,
    help="What the configuration says of promotional content.",
)
@click.option(
    "--provider",
    type=click.Choice(["meta", "cm"]),
    default="meta",
    show_default=True,
    help="Whose senders they are for.",
)
@json_option
@click.pass_context
def lint_files(
    context: click.Context,
    files: tuple[str, ...],
    policy: str,
    provider: str,
    as_json: bool,  # noqa: FBT001 - click passes flags so
) -> None:
    """Check templates in FILEs, JSON or TOML, one or many each; - reads what is piped in.

    Exits with 1 if there are errors, with 2 if a file cannot be read.
    """
    entries = list(_read(files))
    asked = LintPolicy(promotional=PromotionalContent(policy), provider=provider)
    findings = list(_findings(entries, asked))
    if as_json:
        print_json([{name: getattr(each, name) for name in Located.__slots__} for each in findings])
    else:
        for each in findings:
            click.echo(_shown(each))
        click.echo(_summary(entries, findings), err=True)
    context.exit(1 if any(each.level is Level.ERROR for each in findings) else 0)


def _read(files: tuple[str, ...]) -> Iterator[Entry]:
    """All that can be read must be: a verdict on a part would look like one on the whole."""
    for name in files:
        try:
            yield from read_entries(name)
        except click.ClickException as exc:
            raise _UnreadableError(exc.format_message()) from exc


def _findings(entries: Sequence[Entry], policy: LintPolicy) -> Iterator[Located]:
    """Of each template in turn, in the order of its lines."""
    read = [(entry, *entry.values()) for entry in entries]
    contents = {
        _name(values): in_provider_form(content_of(values)) for _, values, mistakes in read if not mistakes
    }
    for entry, values, mistakes in read:
        if mistakes:
            found = [_unfit(entry, field, text) for field, texts in mistakes.items() for text in texts]
        else:
            found = [_located(entry, values, each) for each in _lint(values, policy, contents)]
        yield from sorted(found, key=lambda each: each.line)


def _lint(values: dict[str, Any], policy: LintPolicy, contents: dict[str, TemplateContent]) -> list[Finding]:
    others = {name: content for name, content in contents.items() if name != _name(values)}
    return lint(values["name"], values["language"], values["tag"], content_of(values), policy, others)


def _name(values: dict[str, Any]) -> str:
    return f"{values['name']}/{values['language']}"


def _located(entry: Entry, values: dict[str, Any], finding: Finding) -> Located:
    return Located(
        file=entry.file,
        line=entry.line_of(finding.field),
        template=_name(values),
        level=finding.level,
        code=finding.code,
        field=finding.field,
        mend=finding.mend,
        source=finding.source,
    )


def _unfit(entry: Entry, field: str, text: str) -> Located:
    """What the API would not even read: a field too many, one too few, or of another kind."""
    return Located(
        file=entry.file,
        line=entry.line_of(field),
        template="",
        level=Level.ERROR,
        code="invalid_request",
        field=field,
        mend=text,
        source="ours",
    )


def _shown(each: Located) -> str:
    level = click.style(each.level.value, fg=_COLOURS[each.level])
    return f"{each.file}:{each.line}: {level} {each.code} {each.field}: {each.mend}"


def _summary(entries: Sequence[Entry], findings: Sequence[Located]) -> str:
    errors = sum(each.level is Level.ERROR for each in findings)
    counts = [(len(entries), "template"), (errors, "error"), (len(findings) - errors, "warning")]
    return ", ".join(f"{count} {word}{'' if count == 1 else 's'}" for count, word in counts) + "."
