"""How long nothing may be heard of a message that the provider took before its app is told.

After its time to live the provider drops a message without a word (Meta, "Time-to-live", read 2026-09).
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from shared.domain.consent import Category
from shared.domain.routes import RouteKind

_LONGEST = timedelta(days=30)

#: What a provider does by itself, by category of the template.
_OF_TEMPLATES: Mapping[Category, timedelta] = {
    Category.AUTHENTICATION: timedelta(minutes=10),
    Category.UTILITY: _LONGEST,
    Category.MARKETING: _LONGEST,
}
#: A session message to a phone that is off waits as long.
_OF_SESSIONS = _LONGEST

TIMES_TO_LIVE = tuple(sorted({*_OF_TEMPLATES.values(), _OF_SESSIONS}))


def time_to_live(route: Mapping[str, Any] | None, category: Category) -> timedelta:
    """`route`: of the attempt, as it is stored; `category`: the request's, where the route names none."""
    if route is None or route.get("kind") != RouteKind.TEMPLATE:
        return _OF_SESSIONS
    for template in (route.get("inputs") or {}).get("templates") or ():
        if template and f"{template.get('name')}/{template.get('language')}" == route.get("template"):
            return _OF_TEMPLATES[Category(template["category"])]
    return _OF_TEMPLATES[category]
