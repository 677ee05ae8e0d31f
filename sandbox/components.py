"""What a request puts into a template's header and buttons; bodies are read in templates.py.

Pure; raises `ContentError`. How a file is written differs between the providers, so the door checks it.
reference: Meta "Template components", read 2025-12; CM.com "WhatsApp templates" and its SDKs, read 2026-11.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from sandbox.contents import ContentError, entries, members, words

_MAX_HEADER = 60
_MAX_VALUE = 2000
_MAX_CODE = 15
#: By sub_type: the parameter that fills it.
_BUTTONS = {"url": "text", "quick_reply": "payload", "copy_code": "coupon_code"}
_FILES = {"image", "video", "document"}

#: (kind of file, parameter of a header) -> raises `ContentError` if the file is not as the provider wants it.
CheckFile = Callable[[str, dict[str, object]], None]


@dataclass(slots=True)
class Filled:
    """What is there, whether the template has a place for it or not."""

    #: "text", "image", "video", "document"; None: nothing.
    header: str | None = None
    #: Index of the button to its sub_type.
    buttons: dict[int, str] = field(default_factory=dict)


def read_filled(components: object, check_file: CheckFile) -> Filled:
    filled = Filled()
    for component in components if isinstance(components, list) else []:
        if component["type"] == "header":
            filled.header = _read_header(component, check_file)
        elif component["type"] == "button":
            _read_button(component, filled)
    return filled


def _read_header(component: object, check_file: CheckFile) -> str:
    asked = members(component, "header", {"type", "parameters"})
    parameter = entries(asked["parameters"], "header.parameters", 1)[0]
    kind = parameter.get("type") if isinstance(parameter, dict) else None
    if kind == "text":
        text = members(parameter, "header.parameters", {"type", "text"}, {"parameter_name"})
        words(text["text"], "header.parameters.text", _MAX_HEADER)
    elif isinstance(parameter, dict) and kind in _FILES:
        check_file(str(kind), parameter)
    else:
        raise ContentError(f"header.parameters: type must be text or one of {', '.join(sorted(_FILES))}")
    return str(kind)


def _read_button(component: object, filled: Filled) -> None:
    asked = members(component, "button", {"type", "sub_type", "index", "parameters"})
    kind, index = str(asked["sub_type"]), str(asked["index"])
    if kind not in _BUTTONS:
        raise ContentError(f"button.sub_type must be one of {', '.join(_BUTTONS)}")
    if not index.isdecimal() or int(index) in filled.buttons:
        raise ContentError("button.index must be a number from 0, each once")
    name = _BUTTONS[kind]
    parameter = entries(asked["parameters"], "button.parameters", 1)[0]
    value = members(parameter, "button.parameters", {"type", name})
    if value["type"] != name:
        raise ContentError(f"button.parameters: type must be {name}")
    most = _MAX_CODE if kind == "copy_code" else _MAX_VALUE
    filled.buttons[int(index)] = kind
    words(value[name], f"button.parameters.{name}", most)
