"""A template's preview drawn in the terminal as the bubble that a contact would see."""

from collections.abc import Mapping
from typing import Any

from rich.align import Align
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.rule import Rule
from rich.text import Text

from cli.screen import harmless
from shared.domain.markup import Style, pieces

#: About as wide as a telephone shows it.
_WIDTH = 46
_LOOKS: Mapping[Style, str] = {
    Style.BOLD: "bold",
    Style.ITALIC: "italic",
    Style.STRUCK: "strike",
    Style.CODE: "reverse",
}


def draw(bubble: Mapping[str, Any]) -> Panel:
    """`bubble`: as the API answers it."""
    parts: list[RenderableType] = []
    if bubble["media"]:
        label = harmless(bubble["filename"] or bubble["media"], style="dim")
        parts.append(Panel(Align.center(label), border_style="dim"))
    if bubble["header"]:
        parts.append(harmless(bubble["header"], style="bold"))
    parts.append(_marked_up(bubble["body"]))
    if bubble["footer"]:
        parts.append(harmless(bubble["footer"], style="dim"))
    for button in bubble["buttons"]:
        parts += [Rule(style="dim"), Align.center(harmless(button["label"], style="cyan"))]
        if button["target"]:
            parts.append(Align.center(harmless(button["target"], style="dim")))
    return Panel(Group(*parts), width=_WIDTH)


def _marked_up(text: str) -> Text:
    drawn = Text()
    for piece in pieces(text):
        drawn.append_text(harmless(piece.text, style=" ".join(_LOOKS[style] for style in piece.styles)))
    return drawn
