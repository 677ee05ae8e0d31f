"""Every call of the internal door as values for a page, read from `/openapi.json` and from nothing else."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from webhook.api.blueprint import CODES
from webhook.api.docs_fields import Field, Schema, Schemas, field_of, fields_of

Specification = Mapping[str, Any]
_METHODS = ("get", "post", "put", "delete")


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    fields: Sequence[Field]
    media_type: str
    is_required: bool = True
    about: str = ""
    example: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    status: HTTPStatus
    about: str
    body: Body | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Problems:
    status: HTTPStatus
    codes: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    #: Where it stands on the page: of method and address.
    anchor: str
    method: str
    path: str
    summary: str
    more: str
    #: One of them is enough; none: any key will do.
    scopes: Sequence[str]
    parameters: Sequence[Field]
    body: Body | None
    answers: Sequence[Answer]
    problems: Sequence[Problems]


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    anchor: str
    title: str
    about: str
    calls: Sequence[Call]


def groups_of(specification: Specification) -> Sequence[Group]:
    """In the order of its tags; a call stands under its first one."""
    calls = list(_calls(specification))
    return [
        Group(
            anchor=f"group-{tag['name']}",
            title=tag["name"].replace("_", " ").capitalize(),
            about=tag.get("description", ""),
            calls=[call for name, call in calls if name == tag["name"]],
        )
        for tag in specification["tags"]
    ]


def _calls(specification: Specification) -> Iterator[tuple[str, Call]]:
    schemas = specification["components"]["schemas"]
    for path, operations in specification["paths"].items():
        for method in _METHODS:
            if method in operations:
                operation = operations[method]
                shared = operations.get("parameters", ())
                yield operation["tags"][0], _call(method, path, operation, shared, schemas)


def _call(method: str, path: str, operation: Schema, of_path: Sequence[Schema], schemas: Schemas) -> Call:
    responses = {HTTPStatus(int(status)): answer for status, answer in operation["responses"].items()}
    parameters, told = (*of_path, *operation.get("parameters", ())), operation.get(CODES, {})
    return Call(
        anchor=f"{method}{re.sub(r'[^a-z0-9_]+', '-', path)}".rstrip("-"),
        method=method.upper(),
        path=path,
        summary=operation["summary"],
        more=operation.get("description", ""),
        scopes=[scope for each in operation.get("security", ()) for scope in each["bearer"]],
        parameters=[_parameter(parameter, schemas) for parameter in parameters],
        body=_body(operation.get("requestBody"), schemas),
        answers=[
            Answer(status=status, about=responses[status].get("description", ""), body=body)
            for status in sorted(responses)
            if status < HTTPStatus.BAD_REQUEST
            for body in [_body(responses[status], schemas)]
        ],
        problems=[
            Problems(status=status, codes=sorted(code for code, of in told.items() if of == status))
            for status in sorted(responses)
            if status >= HTTPStatus.BAD_REQUEST
        ],
    )


def _parameter(parameter: Schema, schemas: Schemas) -> Field:
    schema = {"description": parameter.get("description", ""), **parameter["schema"]}
    return field_of(
        parameter["name"],
        schema,
        schemas,
        is_required=parameter.get("required", False),
        place=parameter["in"],
    )


def _body(holder: Schema | None, schemas: Schemas) -> Body | None:
    """Of a request or of an answer; the first of its types."""
    for media_type, content in (holder or {}).get("content", {}).items():
        example = content.get("example")
        return Body(
            fields=list(fields_of(content["schema"], schemas)),
            media_type=media_type,
            is_required=(holder or {}).get("required", True),
            about=content["schema"].get("description", ""),
            example="" if example is None else json.dumps(example, indent=2, ensure_ascii=False),
        )
    return None
