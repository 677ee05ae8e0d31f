"""A bubble as one page of HTML that looks like WhatsApp's: nothing is loaded or run, all is escaped."""

from collections.abc import Mapping
from functools import reduce
from html import escape
from typing import Any

from shared.domain.markup import Style, pieces
from shared.domain.preview import Bubble, BubbleButton, preview
from shared.domain.session_content import MediaKind
from shared.domain.template_call import TemplateCall
from shared.domain.template_parts import ButtonKind, TemplateContent

_TAGS: Mapping[Style, str] = {
    Style.BOLD: "strong",
    Style.ITALIC: "em",
    Style.STRUCK: "s",
    Style.CODE: "code",
}
_MEDIA: Mapping[MediaKind, str] = {
    MediaKind.IMAGE: "Image",
    MediaKind.VIDEO: "Video",
    MediaKind.DOCUMENT: "Document",
}
#: From fonts that every system has; no emoji.
_SIGNS: Mapping[ButtonKind, str] = {
    ButtonKind.QUICK_REPLY: "↩",
    ButtonKind.URL: "↗",
    ButtonKind.PHONE: "☎",
    ButtonKind.COPY_CODE: "⧉",
    ButtonKind.ONE_TIME_CODE: "⧉",
}
#: Should something be forgotten below, the browser still loads and runs nothing.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
_CSS = """
:root{color-scheme:light dark;--wall:#efeae2;--paper:#fff;--ink:#111b21;--grey:#667781;--rule:#e9edef;
--link:#00809d;--file:#dfe5e7}
@media(prefers-color-scheme:dark){:root{--wall:#0b141a;--paper:#202c33;--ink:#e9edef;--grey:#8696a0;
--rule:#2f3b43;--link:#53bdeb;--file:#111b21}}
*{box-sizing:border-box}
body{margin:0;padding:24px;background:var(--wall);color:var(--ink);
font:15px/1.4 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}
main{max-width:360px;background:var(--paper);border-radius:0 12px 12px 12px;
box-shadow:0 1px 1px rgba(0,0,0,.15);overflow:hidden;overflow-wrap:anywhere}
.file{margin:4px 4px 0;border-radius:8px;background:var(--file);color:var(--grey);display:flex;
align-items:center;justify-content:center;height:170px;padding:12px;text-align:center}
.file.document{height:64px}
.text{padding:8px 12px 10px}
h1{margin:0 0 4px;font-size:15px;line-height:1.4;font-weight:700}
p{margin:0;white-space:pre-wrap}
code{font-family:ui-monospace,Menlo,Consolas,monospace;font-size:.93em}
footer{margin-top:6px;color:var(--grey);font-size:13px}
ul{margin:0;padding:0;list-style:none}
li{border-top:1px solid var(--rule);padding:10px 12px;text-align:center;color:var(--link);font-weight:500}
li small{display:block;color:var(--grey);font-weight:400;font-size:12px}
""".strip()


def shown(call: TemplateCall, content: TemplateContent) -> dict[str, Any]:
    """A preview with its picture, as the API answers it."""
    seen = preview(call, content)
    return {
        "bubble": seen.bubble,
        "text": seen.bubble.as_text(),
        "html": page(seen.bubble, title=f"{call.name} {call.language}", language=call.language),
        "length": seen.length,
        "misfits": seen.misfits,
    }


def page(bubble: Bubble, *, title: str, language: str) -> str:
    """`title`, `language`: of the template, for the page's head."""
    head = (
        '<meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{escape(_POLICY)}">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_CSS}</style>"
    )
    tag = escape(language.replace("_", "-"))
    return f'<!doctype html>\n<html lang="{tag}"><head>{head}</head><body>{_bubble(bubble)}</body></html>\n'


def _bubble(bubble: Bubble) -> str:
    header = f'<h1 dir="auto">{escape(bubble.header)}</h1>' if bubble.header else ""
    footer = f'<footer dir="auto">{escape(bubble.footer)}</footer>' if bubble.footer else ""
    text = f'<div class="text">{header}<p dir="auto">{_marked_up(bubble.body)}</p>{footer}</div>'
    buttons = "".join(map(_button, bubble.buttons))
    return f"<main>{_file(bubble)}{text}{f'<ul>{buttons}</ul>' if buttons else ''}</main>"


def _file(bubble: Bubble) -> str:
    if bubble.media is None:
        return ""
    name = f": {bubble.filename}" if bubble.filename else ""
    return f'<div class="file {bubble.media}">{escape(_MEDIA.get(bubble.media, "File") + name)}</div>'


def _button(button: BubbleButton) -> str:
    """Without a link: what it leads to is only read."""
    target = f"<small>{escape(button.target)}</small>" if button.target else ""
    return f"<li>{_SIGNS[button.kind]} {escape(button.label)}{target}</li>"


def _marked_up(text: str) -> str:
    return "".join(
        reduce(_tagged, (_TAGS[style] for style in sorted(piece.styles)), escape(piece.text))
        for piece in pieces(text)
    )


def _tagged(inner: str, tag: str) -> str:
    return f"<{tag}>{inner}</{tag}>"
