"""What apps can be told: every type of event, each with what it means."""

from collections.abc import Mapping

EVENT_TYPES: Mapping[str, str] = {
    "message.accepted": "We took a message from an app.",
    "message.submitted": "The provider took it: no more than that.",
    "message.sent": "It left the provider.",
    "message.delivered": "It is on a device of the contact.",
    "message.read": "The contact saw it.",
    "message.failed": "It will not arrive; `error` and `reason` say why.",
    "message.refused": "A rule forbids to send it; `reason` names the rule.",
    "message.expired": "Its time was over before it could be sent.",
    "message.cancelled": "It was stopped before it left.",
    "message.held": "It waits until the contact writes.",
    "message.unknown": "Nobody knows whether the provider took it.",
    "message.undelivered": "Nothing was heard of it within its time to live.",
    "inbound.received": "A contact wrote, called or pressed something. The one type with text.",
    "window.opened": "The contact may be written to freely until `expires_at`.",
    "window.expiring": "A twenty-fourth of the window's length is left.",
    "window.closed": "Only templates from now on; `reason`: expired, or provider if it said so.",
    "consent.changed": "The contact opted in or out of `categories`.",
    "template.changed": "A template was registered, decided about, paused, re-labelled or edited.",
    "sender.halted": "All or one `kind` of message stays here until `until_at`, or until a hand resumes it.",
    "sender.resumed": "The number sends again.",
    "sender.changed": "News of the number or its account, or `circuit`: open while its provider is down.",
}
