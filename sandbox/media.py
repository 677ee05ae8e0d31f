"""The doors where files are had: Meta's lookup and its links, CM.com's file proxy.

reference: Meta "Media", read 2025-11; CM.com "WhatsApp inbound", read 2026-11. UNCONFIRMED, and chosen here:
what Meta says of an id that is over (100 and 33) and of a link that is over (404), and that CM.com's proxy
asks for no token.
"""

from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import urlencode

from flask import Blueprint, Response, jsonify, request

from sandbox.accounts import MetaAccount
from sandbox.files import SentFile
from sandbox.graph import VERSION, bearer_accounts, graph_error, refuse_unseen
from sandbox.misbehaviour import bare_answer, before_answering
from sandbox.numbers import standing
from sandbox.world import World

_LINK_PATH = "/whatsapp_business/attachments/"


@dataclass(frozen=True, slots=True)
class MediaDoor:
    """Hands out what the control door made up."""

    world: World

    def blueprint(self) -> Blueprint:
        blueprint = Blueprint("media", __name__)
        blueprint.add_url_rule("/<version>/<int:media_id>", view_func=self.look_up)
        blueprint.add_url_rule(_LINK_PATH, view_func=self.follow_link)
        blueprint.add_url_rule("/fileproxy/files/<key>", view_func=self.serve_proxied)
        blueprint.add_url_rule("/fileproxy/files/<key>", view_func=self.remove_proxied, methods=["DELETE"])
        return blueprint

    def look_up(self, version: str, media_id: int) -> Response:
        self.world.pause(self.world.settings.latency_ms / 1000)
        accounts = bearer_accounts(self.world)
        if isinstance(accounts, Response):
            return accounts
        for account in accounts:  # ids of numbers and of files are of one kind, and have one address
            if account.phone_number_id == str(media_id):
                return standing(account)
        file = self.world.files.find(str(media_id))
        owner = _owner(file, accounts)
        if file is None or owner is None or not VERSION.fullmatch(version) or self._is_over(file):
            message = f"Unsupported get request. Object with ID '{media_id}' does not exist"
            return graph_error(HTTPStatus.BAD_REQUEST, "GraphMethodException", 100, message, subcode=33)
        fault = self.world.take_fault(owner.number)
        if fault and fault.refuses_unseen:
            return refuse_unseen(fault)
        is_stale = fault is not None and fault.kind == "stale_link"
        answer = self._lookup_answer(file, 0 if is_stale else self.world.settings.media_link_seconds)
        before_answering(fault, self.world)
        return answer

    def _lookup_answer(self, file: SentFile, seconds: float) -> Response:
        document: dict[str, object] = {
            "messaging_product": "whatsapp",
            "url": meta_link(self.world, file, seconds),
            "mime_type": file.mime_type,
            "sha256": file.digest().hex(),
            "id": file.file_id,
        }
        if self.world.settings.media_says_size:
            document["file_size"] = file.size
        return jsonify(document)

    def follow_link(self) -> Response:
        """With the token of a number that the file was sent to."""
        accounts = bearer_accounts(self.world)
        if isinstance(accounts, Response):
            return accounts
        file = self.world.files.follow_link(request.args.to_dict(), self.world.now())
        if file is None or _owner(file, accounts) is None:
            return Response(status=HTTPStatus.NOT_FOUND)
        return self._serve(file)

    def serve_proxied(self, key: str) -> Response:
        file = self.world.files.find(key)
        if file is None or file.file_id.isdigit():
            return Response(status=HTTPStatus.NOT_FOUND)
        fault = self.world.take_fault(file.number)
        if fault and fault.refuses_unseen:
            return bare_answer(fault)
        before_answering(fault, self.world)
        return self._serve(file)

    def remove_proxied(self, key: str) -> Response:
        """For good: afterwards there is nothing."""
        is_removed = self.world.files.remove(key)
        return Response(status=HTTPStatus.NO_CONTENT if is_removed else HTTPStatus.NOT_FOUND)

    def _is_over(self, file: SentFile) -> bool:
        return self.world.now() >= file.at + self.world.settings.media_kept_seconds

    def _serve(self, file: SentFile) -> Response:
        response = Response(file.chunks(), content_type=file.mime_type)
        if self.world.settings.media_says_size:
            response.content_length = file.size
        return response


def meta_link(world: World, file: SentFile, seconds: float) -> str:
    """A link as Meta gives it, which works for `seconds` from now; only within a request."""
    query = world.files.link_query(file, world.now() + seconds)
    return f"{_base(world)}{_LINK_PATH}?{urlencode(query)}"


def cm_link(world: World, file: SentFile) -> str:
    return f"{_base(world)}/fileproxy/files/{file.file_id}"


def _base(world: World) -> str:
    return (world.settings.media_host or request.host_url).rstrip("/")


def _owner(file: SentFile | None, accounts: list[MetaAccount]) -> MetaAccount | None:
    return next((each for each in accounts if file is not None and each.number == file.number), None)
