"""What Meta tells of a number: of the known fields those that are asked for.

reference: Meta "Messaging limits" and "Health status", read 2026-05 and 2025-11.
"""

from flask import Response, jsonify, request

from sandbox.accounts import MetaAccount

_STANDING: dict[str, object] = {
    "quality_rating": "GREEN",
    "throughput": {"level": "STANDARD"},
    "whatsapp_business_manager_messaging_limit": "TIER_2K",
    "health_status": {"can_send_message": "AVAILABLE", "entities": []},
}


def standing(account: MetaAccount) -> Response:
    asked = request.args.get("fields", "").split(",")
    known = {name: _STANDING[name] for name in asked if name in _STANDING}
    return jsonify({**known, "id": account.phone_number_id})
