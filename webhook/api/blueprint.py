"""Our flask-smorest blueprint: a key and a scope on every route, problems for what cannot be parsed."""

import functools
import json
from collections.abc import Callable
from typing import Any, NoReturn, cast

import flask
import flask_smorest
import marshmallow
from webargs.flaskparser import FlaskParser

from shared.problems import Code, kinds
from shared.schemas.documents import canonical, flatten
from webhook.api.auth import require
from webhook.errors import ProblemError

View = Callable[..., Any]
#: In `/openapi.json`: the codes that an operation answers, with their statuses.
CODES = "x-codes"
#: What every route may answer.
_ALWAYS = (Code.KEY_REQUIRED, Code.INTERNAL_ERROR, Code.STORE_UNAVAILABLE)
_OF_BODIES = (Code.NOT_JSON, Code.BODY_TOO_LARGE, Code.INVALID_REQUEST)
#: Of a route that names a sender, or leaves it out where there is not exactly one.
OF_A_SENDER = (Code.UNKNOWN_SENDER, Code.SENDER_NOT_ALLOWED, Code.INVALID_REQUEST)
OF_A_TEMPLATE = (*OF_A_SENDER, Code.UNKNOWN_TEMPLATE, Code.UNREADABLE_TEMPLATE)


class Parser(FlaskParser):
    """Reads a body as JSON whatever its content type says; unknown query parameters are mistakes too.

    A misspelt `?dry_run=true` must not send a message.
    """

    DEFAULT_UNKNOWN_BY_LOCATION = {  # noqa: RUF012 - webargs' own way
        **FlaskParser.DEFAULT_UNKNOWN_BY_LOCATION,
        "query": marshmallow.RAISE,
    }

    def _raw_load_json(self, req: flask.Request) -> Any:  # noqa: ANN401 - JSON is anything
        raw = req.get_data(cache=True)
        try:
            document = json.loads(raw)
            flask.g.canonical_body = canonical(document)
        except (ValueError, RecursionError) as exc:
            raise ProblemError(Code.NOT_JSON, _why_not_json(exc)) from exc
        return document

    def handle_error(
        self, error: marshmallow.ValidationError, *_arguments: object, **_more: object
    ) -> NoReturn:
        """`error.messages` stand under the location they come from: json, query or headers."""
        (messages,) = cast("dict[str, Any]", error.messages).values()
        raise ProblemError(Code.INVALID_REQUEST, "See errors.", errors=flatten(messages)) from error


class Blueprint(flask_smorest.Blueprint):
    ARGUMENTS_PARSER = Parser()

    def guarded(self, *scopes: str, problems: tuple[Code, ...] = ()) -> Callable[[View], View]:
        """Ask for a key with one of `scopes` before anything else is read, and document the refusals."""

        def decorate(view: View) -> View:
            @functools.wraps(view)
            def guarded_view(*arguments: object, **named: object) -> Any:  # noqa: ANN401 - a view's answer
                require(scopes)
                return view(*arguments, **named)

            told = _told(*_ALWAYS, Code.SCOPE_MISSING, *problems)
            documented: View = self.doc(**told, **_security(scopes))(guarded_view)
            return documented

        return decorate

    def arguments(self, schema: marshmallow.Schema, **options: Any) -> Callable[[View], View]:  # noqa: ANN401
        """As flask-smorest has it; what cannot be parsed has one code."""
        parse = super().arguments(schema, **options)
        return lambda view: self.doc(**_told(Code.INVALID_REQUEST))(parse(view))

    def body(self, schema: marshmallow.Schema, **documentation: object) -> Callable[[View], View]:
        """The JSON body, parsed by `schema`, as the view's next argument."""

        def decorate(view: View) -> View:
            parsed = self.arguments(schema, **documentation)(view)
            documented: View = self.doc(**_told(*_OF_BODIES))(parsed)
            return documented

        return decorate


class _EmptyIsAnObject(Parser):
    """No body means no wishes."""

    def _raw_load_json(self, req: flask.Request) -> Any:  # noqa: ANN401 - JSON is anything
        return super()._raw_load_json(req) if req.get_data(cache=True) else {}


class LenientBlueprint(Blueprint):
    """For routes whose body may be left out."""

    ARGUMENTS_PARSER = _EmptyIsAnObject()


def canonical_body() -> bytes:
    """The body that was parsed, in one spelling: a repeat may order its fields otherwise."""
    body: bytes = flask.g.canonical_body
    return body


def _why_not_json(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg} in line {error.lineno}, column {error.colno}."
    return "Use UTF-8, finite numbers, whole characters and a reasonable depth."


def _security(scopes: tuple[str, ...]) -> dict[str, Any]:
    """Any one of them will do; without any, every key.

    A scheme that is not OAuth names them as roles (OpenAPI 3.1, Security Requirement Object, read 2026-11).
    """
    return {"security": [{"bearer": [scope]} for scope in scopes]} if scopes else {}


def _told(*codes: Code) -> dict[str, Any]:
    """The problems of a route: by status for whoever reads OpenAPI, and by code for our own pages."""
    statuses = {code.value: kinds()[code].status for code in codes}
    responses = {
        int(status): {"$ref": f"#/components/responses/{status.name}"} for status in statuses.values()
    }
    return {"responses": responses, CODES: {code: int(status) for code, status in statuses.items()}}
