"""Builds the internal door as a WSGI app. Importing this builds nothing."""

from functools import cache
from typing import Any

from flask import Flask, Response, jsonify

from shared.deps import Deps
from webhook.api import (
    audit,
    consents,
    contacts,
    events,
    inbound,
    message_batch,
    message_bulk,
    message_changes,
    message_list,
    messages,
    privacy,
    quarantine,
    senders,
    submissions,
    template_approval,
    template_library,
    template_preview,
    template_sync,
    template_use,
    templates,
)
from webhook.api.auth import require_reader
from webhook.api.context import Door, install_context
from webhook.api.docs import install_docs
from webhook.api.inbound import install_inbound
from webhook.api.keyring import Keyring
from webhook.api.metrics import install_metrics
from webhook.api.openapi import install_openapi
from webhook.body import install_body_limit
from webhook.errors import install_errors
from webhook.health import install_health

_RESOURCES = (
    messages,
    message_batch,
    message_list,
    message_changes,
    message_bulk,
    contacts,
    consents,
    inbound,
    events,
    templates,
    template_library,
    template_preview,
    template_approval,
    template_sync,
    template_use,
    senders,
    privacy,
    quarantine,
    submissions,
    audit,
)


def create_api(deps: Deps) -> Flask:
    app = Flask("webhook.api", static_folder=None)
    app.json.sort_keys = False  # type: ignore[attr-defined] # of Flask's default provider
    app.json.ensure_ascii = False  # type: ignore[attr-defined] # likewise
    install_context(app, Door(deps, Keyring(deps.settings.configuration.apps.values())))
    install_errors(app)
    install_body_limit(app)
    install_health(app, deps.health)
    install_inbound(app)
    install_metrics(app)
    for resource in _RESOURCES:
        app.register_blueprint(resource.blueprint)

    def openapi() -> Response:
        require_reader()
        return jsonify(_specification())

    app.add_url_rule("/openapi.json", "openapi", openapi)
    install_docs(app, _specification)
    return app


@cache
def _specification() -> dict[str, Any]:
    """The same for every app; written when it is first asked for, which takes longer than all the rest."""
    api = install_openapi(Flask("webhook.api.specification", static_folder=None))
    for resource in _RESOURCES:
        api.register_blueprint(resource.blueprint)
    specification: dict[str, Any] = api.spec.to_dict()
    return specification
