"""`finestra template …` against the door, over HTTP."""

import json
from datetime import timedelta

import pytest
from click.testing import CliRunner

from cli.main import main
from shared.clock import rfc3339
from tests.builders import Stores, World, call, template
from tests.play import accept
from tests.typed import typed_against
from webhook.api.app import create_api


@pytest.fixture
def world(fake_redis) -> World:
    return World(fake_redis)


@pytest.fixture
def finestra(world):
    with typed_against(create_api(world.deps), "template") as run:
        yield run


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


def test_what_stopped_one_is_shown(finestra, world):
    world.deps.templates.create("default", template(), nonce="n")
    fields = {"error_stop": "paused|132015|1|", "stopped": "paused"}
    world.deps.templates.change("default", template().id, fields)

    shown = finestra("show", "ordine_pronto", "it", "--sender", "shop").output

    assert "stopped by error: 132015" in shown


def test_every_part_of_a_template_is_shown(finestra):
    link = "https://shop.example/track/{1}"
    shown = finestra("import", "order_shipped", "--language", "it", "--sender", "shop", "--link", link).output

    assert "[Segui il pacco] https://shop.example/track/{{1}}" in shown
    assert "3: Corriere Veloce" in shown


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


def test_a_preview_is_drawn_as_a_bubble_and_written_as_a_picture(world, finestra, tmp_path):
    world.deps.templates.create("default", template(body="Ciao *{{1}}*, l'ordine {{2}} è qui."), nonce="n")
    picture = tmp_path / "bubble.html"

    words = ("ordine_pronto", "it", "--sender", "shop", "--var", "[red]Bo")
    drawn = finestra("preview", *words, "--html", str(picture)).output
    as_json = json.loads(finestra("preview", *words, "--json").stdout)

    assert "Ciao [red]Bo, l'ordine 991 è qui." in drawn
    assert as_json["text"] == "Ciao *[red]Bo*, l'ordine 991 è qui."
    assert "<strong>[red]Bo</strong>" in picture.read_text(encoding="utf-8")


TOML = """
name = "ordine_partito"
language = "it"
tag = "UTILITY"
body = "Gentile {nome}, il suo ordine è partito oggi."
samples = ["Anna"]
header = {kind = "image"}
buttons = [{kind = "url", label = "Segui", url = "https://ex.it/{1}", sample = "991"}]
"""


def test_a_preview_of_a_file_asks_nobody(tmp_path):
    path = tmp_path / "ordine.toml"
    path.write_text(TOML, encoding="utf-8")
    words = ["template", "preview", "--file", str(path), "--var", "nome:=Bo", "--button", "0", "url_suffix"]

    done = CliRunner().invoke(main, [*words, "ZX1", "--media", "image", "https://ex.it/991.jpg"])

    assert done.exit_code == 0, done.output
    assert all(part in done.output for part in ("image", "Gentile Bo, il suo", "Segui", "https://ex.it/ZX1"))


@pytest.mark.parametrize(
    ("content", "mend"),
    [
        (TOML.replace("language", "lingua"), "lingua: unknown field; did you mean language?"),
        (TOML.replace("body =", "body"), "ordine.toml"),
    ],
)
def test_a_file_that_is_no_template_says_why(tmp_path, content, mend):
    path = tmp_path / "ordine.toml"
    path.write_text(content, encoding="utf-8")

    done = CliRunner().invoke(main, ["template", "preview", "--file", str(path)])

    assert done.exit_code == 1
    assert mend in done.output


def test_a_preview_needs_a_template_or_a_file():
    done = CliRunner().invoke(main, ["template", "preview", "ordine_pronto"])

    assert done.exit_code == 2
    assert "--file" in done.output


def test_a_template_is_handed_in_decided_about_and_looked_back_at(finestra):
    named = ("pronto", "it", "--sender", "negozio")
    finestra("import", "order_ready", "--language", "it", "--sender", "negozio", "--as", "pronto")

    finestra("submit", *named)
    rejected = finestra("reject", *named, "--gate", "whatsapp", "--reason", "INVALID_FORMAT")
    finestra("submit", *named)
    finestra("approve", *named, "--gate", "whatsapp")
    approved = finestra("approve", *named, "--gate", "provider")
    told = finestra("history", *named)

    assert "rejected: INVALID_FORMAT" in rejected.output
    assert "pronto/it  approved" in approved.output
    assert told.output.count("desk") == 6
    assert "in force" in finestra("versions", *named).output
    assert finestra("delete", *named).output == "deleted\n"


def test_the_doctor_names_what_is_in_use_and_cannot_be_sent(world, finestra):
    stores, sender = Stores(world.client), world.deps.sender("shop")
    stores.templates.create("default", template(), nonce="1")
    stores.accept(sender, content=None, templates=(call(),))
    well = finestra("doctor")
    stores.accept(sender, content=None, templates=(call("mai_visto"), call()))

    ill = finestra("doctor")

    assert (well.exit_code, well.output) == (0, "All 1 templates in use can be sent.\n")
    assert ill.exit_code == 1
    assert "mai_visto/it" in ill.output
    assert "missing" in ill.output
    assert "ordine_pronto" not in ill.output


def test_the_doctor_says_since_when_a_template_is_stopped(world, finestra):
    world.deps.templates.create("default", template(world.deps.sender("negozio")), nonce="1")
    accept(world, sender="negozio", content=None, templates=(call(),))
    named = ("ordine_pronto", "it", "--sender", "negozio")
    world.clock.advance(timedelta(hours=1))
    finestra("reject", *named, "--gate", "whatsapp", "--reason", "INVALID_FORMAT")
    rejected_at = rfc3339(world.clock.now())
    world.clock.advance(timedelta(hours=1))

    (ill,) = json.loads(finestra("doctor", "--json").output)["items"]

    assert (ill["status"], ill["since"]) == ("rejected", rejected_at)
    assert rejected_at[:10] in finestra("doctor").output


def test_a_list_that_cannot_be_read_is_exit_1(finestra):
    done = finestra("sync", "--sender", "shop")

    assert done.exit_code == 1
    assert "failed with not_sent" in done.output


def test_templates_are_registered_and_edited_from_files(finestra, tmp_path):
    def file(body):
        new = {"sender": "shop", "name": "pronto", "language": "it", "tag": "UTILITY", "samples": ["991"]}
        path = tmp_path / "modelli.json"
        path.write_text(
            json.dumps({"templates": [{**new, "body": body}, {**new, "name": "Pronto", "body": "x"}]})
        )
        return str(path)

    registered = finestra("register", file("Ordine {1} ricevuto, grazie."))
    edited = finestra("edit", file("Ordine {1} ricevuto, a presto."))

    assert (registered.exit_code, edited.exit_code) == (1, 1)  # the second one has a bad name
    assert "pronto/it draft, version 1" in registered.output
    assert "name" in registered.stderr
    assert "pronto/it draft, version 2" in edited.output
