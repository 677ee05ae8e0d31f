"""`finestra template …` against the door, over HTTP."""

import json
import threading

import pytest
import structlog
from click.testing import CliRunner
from werkzeug.serving import make_server

from cli.main import main
from tests.builders import World, template
from webhook.api.app import create_api


@pytest.fixture
def world(fake_redis) -> World:
    return World(fake_redis)


@pytest.fixture
def finestra(world):
    """Runs the command as on-call does, with an admin's key."""
    server = make_server("127.0.0.1", 0, create_api(world.deps), threaded=True)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()

    def run(*words):
        options = ["--url", f"http://127.0.0.1:{server.port}", "--key", "desk-key"]
        done = CliRunner().invoke(main, ["template", *words, *options], env={"COLUMNS": "200"})
        assert done.exit_code in (0, 1, 2), done.exception
        return done

    with structlog.testing.capture_logs():  # what the server writes is no output of the command
        yield run
    server.shutdown()
    server.server_close()


def test_the_library_is_shown(finestra):
    shown = finestra("library", "--language", "de").output
    as_json = json.loads(finestra("library", "--language", "de", "--json").stdout)

    assert "tracking number" in shown
    assert {item["name"] for item in as_json["items"]} >= {"order_shipped", "pickup_point"}
    assert all(item["name"] in shown for item in as_json["items"])


def test_one_is_imported_listed_and_shown(finestra):
    imported = finestra("import", "order_ready", "--language", "it", "--sender", "shop", "--as", "pronto")
    listed = json.loads(finestra("list", "--sender", "shop", "--json").stdout)
    shown = finestra("show", "pronto", "it", "--sender", "shop")

    assert imported.exit_code == 0, imported.output
    assert [(item["name"], item["source"]) for item in listed["items"]] == [("pronto", "library")]
    assert "pronto/it  draft  utility" in shown.output
    assert "whatsapp: pending" in shown.output
    assert "pronto" in finestra("list").output


def test_what_cannot_be_imported_says_how_to_mend_it(finestra):
    done = finestra("import", "order_redy", "--language", "it", "--sender", "shop")

    assert done.exit_code == 1
    assert "did you mean order_ready?" in done.output


def test_an_empty_list_says_where_to_begin(finestra):
    assert "finestra template library" in finestra("list").output


def test_what_a_template_says_does_not_speak_to_the_terminal(world, finestra):
    hostile = template(body="Ciao {{1}}, [bold]tutto[/bold] {{2}} \x1b[31mqui.")
    world.deps.templates.create("default", hostile, nonce="n")

    shown = finestra("show", "ordine_pronto", "it", "--sender", "shop").output

    assert "[bold]tutto[/bold]" in shown
    assert "\x1b" not in shown
