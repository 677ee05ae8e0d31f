"""`finestra`: the groups of commands, put together."""

import click

from cli.alive import alive
from cli.callbacks import callbacks
from cli.completion import completion
from cli.consent import consent
from cli.consent_import import export_consents, import_consents
from cli.contacts import contact, retention
from cli.demo import demo
from cli.docs import docs
from cli.doctor import doctor as examine
from cli.events import events
from cli.inbound import inbound
from cli.message_hands import audit, cancel, list_messages, resolve, retry
from cli.messages import message, send
from cli.migrate import migrate
from cli.problems import ProblemGroup
from cli.quarantine import quarantine
from cli.sender_drain import drain
from cli.senders import sender
from cli.submissions import submissions
from cli.template_approval import approve, delete, doctor, history, reject, submit, sync, versions
from cli.template_approval import resume as resume_template
from cli.template_library import import_template, library
from cli.template_lint import lint_files
from cli.template_preview import preview
from cli.template_register import edit, register
from cli.templates import template
from cli.up import up


@click.group(cls=ProblemGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="finestra")
def main() -> None:
    """Finestra: a WhatsApp Business gateway that knows whether the window is open."""


for _command in (
    up,
    alive,
    migrate,
    demo,
    examine,
    send,
    message,
    sender,
    contact,
    retention,
    consent,
    quarantine,
    submissions,
    inbound,
    events,
    callbacks,
    audit,
    docs,
    completion,
    template,
):
    main.add_command(_command)

for _command in (list_messages, cancel, retry, resolve):
    message.add_command(_command)

for _command in (
    library,
    import_template,
    lint_files,
    preview,
    register,
    edit,
    submit,
    approve,
    reject,
    resume_template,
    history,
    versions,
    sync,
    delete,
    doctor,
):
    template.add_command(_command)

sender.add_command(drain)

for _command in (import_consents, export_consents):
    consent.add_command(_command)
