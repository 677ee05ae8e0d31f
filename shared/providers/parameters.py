"""A template's variables with their values, in the order in which providers count them."""

from shared.domain.routes import TemplateRoute
from shared.domain.template_text import clean_value


def filled_variables(route: TemplateRoute) -> list[tuple[str, str]]:
    """Numbered ones by number, for the n-th parameter fills `{{n}}`; named ones as they come."""
    names = route.template.variables
    ordered = sorted(names, key=int) if all(map(is_number, names)) else names
    return [(name, clean_value(route.call.values[name])) for name in ordered]


def is_number(name: str) -> bool:
    return name.isascii() and name.isdigit()
