"""The files that customers send: bytes made up on the spot, and links to them that end. Speaks no HTTP.

reference: Meta "Media", read 2025-11: a link lives five minutes, an id from a webhook seven days.
"""

import base64
import hashlib
import hmac
import secrets
import threading
from collections.abc import Iterator
from dataclasses import dataclass

from sandbox.shapes import ScriptError, is_text, script_object

_TYPES = {
    "image": "image/jpeg",
    "video": "video/mp4",
    "audio": "audio/ogg; codecs=opus",
    "document": "application/pdf",
    "sticker": "image/webp",
}
_NAMES = {"kind", "bytes", "mime_type", "filename"}
_DEFAULT_BYTES = 4096
_BLOCK_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class SentFile:
    """One file of a customer."""

    #: As the provider names it: Meta by digits, CM.com by 32 hex digits.
    file_id: str
    #: The business number that it was sent to.
    number: str
    at: float
    kind: str
    mime_type: str
    size: int
    filename: str | None

    def chunks(self) -> Iterator[bytes]:
        """The same bytes each time, and others for each file."""
        block = hashlib.sha256(self.file_id.encode()).digest() * (_BLOCK_BYTES // 32)
        for start in range(0, self.size, _BLOCK_BYTES):
            yield block[: min(_BLOCK_BYTES, self.size - start)]

    def digest(self) -> bytes:
        """SHA-256 of the bytes."""
        running = hashlib.sha256()
        for chunk in self.chunks():
            running.update(chunk)
        return running.digest()

    def digest_base64(self) -> str:
        """As Meta's webhooks write it; its lookups write hexadecimal."""
        return base64.b64encode(self.digest()).decode("ascii")


class Files:
    """All files by id, and who may follow a link. Safe to use from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._files: dict[str, SentFile] = {}
        self._secret = secrets.token_bytes(32)

    def add(self, file: SentFile) -> None:
        with self._lock:
            self._files[file.file_id] = file

    def find(self, file_id: str) -> SentFile | None:
        return self._files.get(file_id)

    def remove(self, file_id: str) -> bool:
        with self._lock:
            return self._files.pop(file_id, None) is not None

    def clear(self) -> None:
        with self._lock:
            self._files.clear()

    def link_query(self, file: SentFile, ends_at: float) -> dict[str, str]:
        """What makes a link one: whose file, until when, and a proof that it was given out here."""
        ends = str(int(ends_at * 1000))
        return {"mid": file.file_id, "ext": ends, "hash": self._proof(file.file_id, ends)}

    def follow_link(self, query: dict[str, str], now: float) -> SentFile | None:
        """None when the link is made up, or its time is over."""
        file_id, ends = query.get("mid", ""), query.get("ext", "")
        is_ours = hmac.compare_digest(query.get("hash", "").encode(), self._proof(file_id, ends).encode())
        return self.find(file_id) if is_ours and now * 1000 < int(ends) else None

    def _proof(self, file_id: str, ends: str) -> str:
        return hmac.new(self._secret, f"{file_id} {ends}".encode(), hashlib.sha256).hexdigest()


def parse_file(raw: object, *, provider: str, number: str, at: float) -> SentFile:
    """`{"kind", "bytes"?, "mime_type"?, "filename"?}`; raises `ScriptError` for anything else."""
    script = script_object(raw)
    kind, size = script.get("kind"), script.get("bytes", _DEFAULT_BYTES)
    if odd := set(script) - _NAMES:
        raise ScriptError(f"unknown in 'media': {', '.join(sorted(odd))}")
    if not isinstance(kind, str) or kind not in _TYPES:
        raise ScriptError(f"'media.kind' must be one of {', '.join(_TYPES)}")
    if not isinstance(size, int) or isinstance(size, bool) or size < 1:
        raise ScriptError("'media.bytes' must be a whole number from 1")
    mime_type, filename = script.get("mime_type", _TYPES[kind]), script.get("filename")
    if not is_text(mime_type) or not isinstance(filename, str | None):
        raise ScriptError("'media.mime_type' and 'media.filename' must be text")
    return SentFile(
        file_id=_new_id(provider),
        number=number,
        at=at,
        kind=kind,
        mime_type=mime_type,
        size=size,
        filename=filename,
    )


def _new_id(provider: str) -> str:
    return str(10**14 + secrets.randbelow(9 * 10**14)) if provider == "meta" else secrets.token_hex(16)
