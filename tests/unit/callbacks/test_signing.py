from datetime import UTC, datetime, timedelta, timezone

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from shared.callbacks.signing import Signer
from shared.configuration import Secret

OLD = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
NEW = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oDQDQ2Z0Zk"
OTHER = "whsec_" + "A" * 32
BODY = '{"type":"inbound.received","data":{"text":"è 🎉"}}'.encode()


def signed(*secrets, at=None, body=BODY):
    return Signer([Secret(s) for s in secrets]).headers("evt_1", at or datetime.now(UTC), body)


@pytest.mark.parametrize("secret", [OLD, NEW])
def test_either_live_secret_verifies(secret):
    Webhook(secret).verify(BODY, signed(OLD, NEW))


@pytest.mark.parametrize("secrets", [(OLD,), (NEW,)])
def test_one_secret_makes_one_signature(secrets):
    headers = signed(*secrets)

    assert headers["webhook-id"] == "evt_1"
    assert headers["webhook-signature"].count("v1,") == 1
    Webhook(secrets[0]).verify(BODY, headers)


@pytest.mark.parametrize(
    ("secret", "changes"),
    [
        pytest.param(OTHER, {}, id="other secret"),
        pytest.param(OLD, {"webhook-id": "evt_2"}, id="other id"),
        pytest.param(OLD, {"webhook-signature": "v1,"}, id="no signature"),
    ],
)
def test_anything_else_is_refused(secret, changes):
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(BODY, signed(OLD, NEW) | changes)


def test_another_time_is_refused():
    now = datetime.now(UTC)
    later = {"webhook-timestamp": str(int(now.timestamp()) + 9)}

    with pytest.raises(WebhookVerificationError):
        Webhook(OLD).verify(BODY, signed(OLD, at=now) | later)


def test_another_body_is_refused():
    with pytest.raises(WebhookVerificationError):
        Webhook(OLD).verify(BODY + b" ", signed(OLD, NEW))


@pytest.mark.parametrize("minutes", [-6, 6])
def test_a_time_six_minutes_off_is_refused(minutes):
    headers = signed(OLD, at=datetime.now(UTC) + timedelta(minutes=minutes))

    with pytest.raises(WebhookVerificationError):
        Webhook(OLD).verify(BODY, headers)


def test_the_time_is_the_same_in_any_zone():
    at = datetime(2026, 11, 22, 12, 0, 0, 900_000, tzinfo=UTC)

    assert signed(OLD, at=at) == signed(OLD, at=at.astimezone(timezone(timedelta(hours=5))))
    assert signed(OLD, at=at)["webhook-timestamp"] == str(int(at.timestamp()))


def test_nothing_leaves_unsigned():
    with pytest.raises(ValueError, match="secret"):
        Signer([])
