"""10,000 authentic bodies of any content: each is answered 200 or, when too large, 413."""

import json
import os
import random
from collections import Counter
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path

from tests.builders import NOW, World
from tests.public_door import HOOK, sign
from webhook.app import create_receiver
from webhook.body import MAX_BODY_BYTES

BODIES = 10_000
FIXTURES = Path(__file__).parent.parent / "fixtures"
#: What the fixtures name, and what these tests' senders and clock say.
OURS = {
    "555000111222333": "106540352242922",
    "100200300400500": "102290129340398",
    "0031850000001": "00390212345678",
    "1790000000": str(int(NOW.timestamp())),
    "2026-01-31T10:15:30": NOW.strftime("%Y-%m-%dT%H:%M:%S"),
}
ODD = (
    None, True, 0, -1, 1.5, 2**63, 10**400, 1e308, float("nan"), float("-inf"),
    "", " ", "0", "\x00", "\ud800", "\udfff", "è 😀", "\u202e", "x" * 5_000, "+39", "text", "failed",
    "3689409600", "99999999999999", "-1", "NaN", "2026-13-45T99:00:00",
    [], {}, [[]], [None], {"": ""}, {"id": {}}, [{"id": "x"}] * 30,
)  # fmt: skip


def fixtures(provider: str) -> list[str]:
    texts = [path.read_text("utf-8") for path in sorted((FIXTURES / provider).glob("*.json"))]
    for theirs, ours in OURS.items():
        texts = [text.replace(theirs, ours) for text in texts]
    return texts


def any_json(chance: random.Random, depth: int = 4) -> object:
    kind = chance.random() if depth else 1.0
    if kind < 0.25:
        return [any_json(chance, depth - 1) for _ in range(chance.randrange(4))]
    if kind < 0.5:
        names = ("messages", "entry", "message", "from", "status", "è", "", "x")
        return {chance.choice(names): any_json(chance, depth - 1) for _ in range(chance.randrange(4))}
    return deepcopy(chance.choice(ODD))


def places(value: object) -> Iterator[tuple[dict | list, object]]:
    """Every container in a document with each of its keys."""
    children = (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    )
    for key, child in children:
        yield value, key
        yield from places(child)


def mutated(chance: random.Random, text: str) -> bytes:
    document = json.loads(text)
    for _ in range(chance.randrange(1, 4)):
        container, key = chance.choice(list(places(document)) or [({"x": 0}, "x")])
        match chance.randrange(4):
            case 0:
                del container[key]
            case 1 if isinstance(container, list):
                container.extend([container[key]] * chance.randrange(1, 20))
            case 2:
                container[key] = any_json(chance)
            case _:
                container[key] = deepcopy(chance.choice(ODD))
    body = bytearray(
        json.dumps(document, ensure_ascii=chance.random() < 0.5).encode("utf-8", "surrogatepass")
    )
    if chance.random() < 0.1:
        body[chance.randrange(len(body))] = chance.randrange(256)
    return bytes(body)


def bodies(chance: random.Random, texts: list[str]) -> Iterator[bytes]:
    while True:
        kind = chance.random()
        if kind < 0.001:
            yield b" " * (MAX_BODY_BYTES + chance.randrange(2))
        elif kind < 0.15:
            yield chance.randbytes(chance.randrange(200))
        elif kind < 0.3:
            yield json.dumps(any_json(chance)).encode()
        else:
            yield mutated(chance, chance.choice(texts))


def test_whatever_an_authentic_body_holds_the_answer_is_200_or_413(real_redis):
    seed = 4 if os.environ.get("CI") else random.randrange(10**6)
    chance = random.Random(seed)
    world = World(real_redis)
    door = create_receiver(world.deps).test_client()
    meta, cm = bodies(chance, fixtures("meta")), bodies(chance, fixtures("cm"))
    answers = Counter()

    for number in range(BODIES):
        body = next(meta if number % 2 else cm)
        if number % 2:
            status = door.post("/webhooks/shop", data=body, headers=sign(body)).status_code
        else:
            status = door.post(HOOK, data=body).status_code
        answers[status] += 1
        assert status == (413 if len(body) > MAX_BODY_BYTES else 200), (seed, number, body[:2_000])

    assert answers.total() == BODIES
    assert answers.keys() == {200, 413}
    assert list(real_redis.scan_iter("window:*", count=10_000))
    assert real_redis.xlen("quarantine:{default}") > 1_000
