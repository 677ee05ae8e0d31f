"""`finestra send` against the real door: what is typed is what is asked."""

import threading

import fakeredis
import pytest
from click.testing import CliRunner
from werkzeug.serving import make_server

from cli.messages import send
from shared.domain.session_content import MediaKind, MediaLink, Text
from tests.builders import NOW, World, wrote
from tests.contents import WAMID
from tests.play import drain
from webhook.api.app import create_api


@pytest.fixture
def world():
    world = World(fakeredis.FakeRedis(decode_responses=True))
    world.deps.recorder.record([(world.deps.sender("shop"), wrote(NOW))], now=NOW)
    return world


@pytest.fixture
def run(world):
    server = make_server("127.0.0.1", 0, create_api(world.deps))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    fixed = ["--sender", "shop", "--to", "+393331234567", "--key", "orders-key"]
    yield lambda *typed: CliRunner().invoke(
        send, [*fixed, "--url", f"http://127.0.0.1:{server.server_port}", *typed]
    )
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_file_with_its_name_goes_out(world, run):
    result = run(
        "--media", "document", "https://ex.it/991.pdf", "--caption", "Fattura", "--filename", "991.pdf"
    )
    drain(world)

    assert result.exit_code == 0, result.output
    (sent,) = world.providers["shop"].sent
    assert sent.route.content == MediaLink(
        kind=MediaKind.DOCUMENT, link="https://ex.it/991.pdf", caption="Fattura", filename="991.pdf"
    )


def test_a_text_quotes(world, run):
    result = run("--text", "Sì", "--reply-to", WAMID)
    drain(world)

    assert result.exit_code == 0, result.output
    (sent,) = world.providers["shop"].sent
    assert (sent.route.content, sent.route.reply_to) == (Text("Sì"), WAMID)


def test_a_caption_without_a_file_is_a_mistake(world, run):
    result = run("--text", "Sì", "--caption", "Fattura")

    assert (result.exit_code, world.rung) == (2, [])
