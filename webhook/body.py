"""How large a body may be, at both doors: 413 before it is looked at, declared or chunked."""

from flask import Flask, abort, request

#: Meta posts up to 3 MB ("Webhooks", read 2025-12).
MAX_BODY_BYTES = 4 * 1024 * 1024


def install_body_limit(app: Flask) -> None:
    """Werkzeug refuses a declared length but cuts a chunked body: one byte more tells that apart."""
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY_BYTES + 1

    @app.before_request
    def refuse_large() -> None:
        length = request.content_length
        if length is None and request.headers.get("Transfer-Encoding"):
            length = len(request.get_data(cache=True))
        if length is not None and length > MAX_BODY_BYTES:
            abort(413)
