"""The headers under which a stranger's file is passed on: never shown, never run, never a path. Pure."""

import mimetypes
import re
import unicodedata
from collections.abc import Mapping
from urllib.parse import quote

UNKNOWN_TYPE = "application/octet-stream"
_WORD = r"[A-Za-z0-9!#$&^_.+-]{1,64}"
#: RFC 9110, 8.3.1: a type, and parameters such as `; codecs=opus`.
_MEDIA_TYPE = re.compile(
    rf'{_WORD}/{_WORD}(?:\s{{0,4}};\s{{0,4}}{_WORD}=(?:{_WORD}|"[\w.,+ -]{{0,64}}")){{0,4}}'
)
_LONGEST_NAME = 120
_SEPARATORS = re.compile(r"[/\\]")
#: What file systems or shells give a meaning, and what would end a quoted string.
_FORBIDDEN = re.compile(r'[<>:"|?*%;]')


def attachment_headers(*, filename: str | None, kind: str, content_type: str) -> Mapping[str, str]:
    """For any file: a browser saves it whatever it is, and nothing in between keeps it.

    `kind` names a file that has no name: `image.jpg`.
    """
    name = _safe(filename or "") or kind + (mimetypes.guess_extension(content_type.partition(";")[0]) or "")
    return {
        "Content-Type": content_type,
        "Content-Disposition": _disposition(name),
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "sandbox",
        "Cache-Control": "no-store",
    }


def safe_content_type(*candidates: str | None) -> str:
    """The first that looks like one."""
    written = (candidate.strip() for candidate in candidates if candidate)
    return next((text for text in written if _MEDIA_TYPE.fullmatch(text)), UNKNOWN_TYPE)


def _safe(filename: str) -> str:
    """The last part of a path, without what cannot be seen, such as a mark that turns letters around."""
    last = _SEPARATORS.split(filename)[-1]
    seen = "".join(each if unicodedata.category(each)[0] not in "CZ" else " " for each in last)
    name = " ".join(_FORBIDDEN.sub("_", seen).split()).strip(". ")
    return _shortened(name)


def _shortened(name: str) -> str:
    if len(name) <= _LONGEST_NAME:
        return name
    stem, dot, extension = name.rpartition(".")
    tail = dot + extension if stem and len(extension) < _LONGEST_NAME // 4 else ""
    return name[: _LONGEST_NAME - len(tail)] + tail


def _disposition(name: str) -> str:
    """RFC 6266: the whole name for those who read `filename*`, plain letters for the rest."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    plain = " ".join(_FORBIDDEN.sub("_", _SEPARATORS.sub("_", plain)).split()).lstrip(". ") or "file"
    written = f'attachment; filename="{plain}"'
    return written if plain == name else f"{written}; filename*=UTF-8''{quote(name, safe='')}"
