"""`/openapi.json`: written from the routes and their schemas, with errors as the problems that they are."""

from http import HTTPStatus
from typing import Any

import flask_smorest
from flask import Flask

from shared.problems import kinds
from shared.schemas.problem import ProblemSchema
from webhook.errors import MEDIA_TYPE

_ABOUT = """The internal door of Finestra. Times are RFC 3339 in UTC; errors are RFC 9457 problems with a
stable `code`; `X-Request-ID` is echoed. The scope `admin` implies every other."""


class Api(flask_smorest.Api):
    DEFAULT_ERROR_RESPONSE_NAME = None  # a vague default would be no documentation

    def _register_error_handlers(self) -> None:
        """webhook/errors.py answers them."""

    def _register_responses(self) -> None:
        for status in sorted({kind.status for kind in kinds().values()}):
            self.spec.components.response(status.name, self._problem(status))

    def _problem(self, status: HTTPStatus) -> dict[str, Any]:
        codes = ", ".join(f"`{code}`" for code, kind in kinds().items() if kind.status is status)
        return {
            "description": f"{status.phrase}: {codes}",
            "content": {MEDIA_TYPE: {"schema": ProblemSchema}},
        }


def install_openapi(app: Flask) -> Api:
    app.config.update(API_TITLE="Finestra", API_VERSION="1", OPENAPI_VERSION="3.1.0")
    api = Api(
        app,
        spec_kwargs={
            "info": {"description": _ABOUT},
            "security": [{"bearer": []}],
            "servers": [{"url": "/"}],
        },
    )
    api.spec.components.security_scheme("bearer", {"type": "http", "scheme": "bearer"})
    return api
