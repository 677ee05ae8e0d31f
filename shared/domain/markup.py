"""WhatsApp's markup: which pieces of a text are bold, italic, struck through or set like code.

It knows what a mark means, not how a page or a terminal shows it. WhatsApp Help Center, "How to format your
messages", read 2026-11.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum


class Style(StrEnum):
    BOLD = "bold"
    ITALIC = "italic"
    STRUCK = "struck"
    CODE = "code"


@dataclass(frozen=True, slots=True)
class Piece:
    """Words that look alike."""

    text: str
    styles: frozenset[Style]


_STYLES = {"*": Style.BOLD, "_": Style.ITALIC, "~": Style.STRUCK}
#: A mark stands at the edge of a word, holds something, and ends in its own line; code may hold all.
_MARKED = re.compile(
    r"```(?P<code>[^`]+)```|"
    + "|".join(
        rf"(?<!\w)\{mark}(?!\s)(?P<{style}>[^\n{mark}]+)(?<!\s)\{mark}(?!\w)"
        for mark, style in _STYLES.items()
    )
)


def pieces(text: str, styles: frozenset[Style] = frozenset()) -> Iterator[Piece]:
    """The text without its marks. A mark that is not closed stays what it is."""
    end = 0
    for match in _MARKED.finditer(text):
        if match.start() > end:
            yield Piece(text[end : match.start()], styles)
        end = match.end()
        style = Style(match.lastgroup or "")
        inner = match[match.lastgroup or ""]
        if style is Style.CODE:
            yield Piece(inner, styles | {style})
        else:
            yield from pieces(inner, styles | {style})
    if end < len(text):
        yield Piece(text[end:], styles)
