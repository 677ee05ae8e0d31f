"""`finestra template lint`: files of both kinds, lines, exit codes."""

import json

import pytest
from click.testing import CliRunner

from cli.main import main
from cli.template_lines import json_lines, line_of, toml_lines

GOOD = {
    "name": "ordine_pronto",
    "language": "it",
    "tag": "UTILITY",
    "body": "Ciao {1}, il tuo ordine {2} è pronto e ti aspetta.",
    "samples": ["Anna", "991"],
}
TOML = """
[[templates]]
name = "Pronto"
language = "it"
tag = "UTILITY"
body = "Il tuo ordine è pronto."

[templates.header]
kind = "text"
text = "*Pronto*"

[[templates.buttons]]
kind = "quick_reply"
label = "Va bene"

[[templates.buttons]]
kind = "url"
label = "Apri"
url = "ex.it"

[[templates]]
name = "arrivato"
language = "it"
tag = "UTILITY"
body = "Il tuo ordine è arrivato."
footer = "Sconti per tutti"
"""


@pytest.fixture
def lint(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def run(*arguments, piped=None, **files):
        for name, text in files.items():
            (tmp_path / name.replace("_", ".")).write_text(text, encoding="utf-8")
        return CliRunner().invoke(main, ["template", "lint", *arguments], input=piped)

    return run


def test_what_is_good_says_nothing_and_exits_with_0(lint):
    done = lint("a.json", a_json=json.dumps(GOOD))

    assert (done.exit_code, done.stdout) == (0, "")
    assert done.stderr == "1 template, 0 errors, 0 warnings.\n"


def test_findings_name_file_line_level_rule_field_and_mend(lint):
    done = lint("a.toml", a_toml=TOML)

    assert done.exit_code == 1
    assert [line.split(": ")[:3] for line in done.stdout.splitlines()] == [
        ["a.toml:3", "error name_format name", "use 1 to 512 lower-case letters, digits and underscores"],
        ["a.toml:10", "error header_markup header.text", "leave out *, _, ~ and `"],
        ["a.toml:12", "warning buttons_desktop buttons", done.stdout.splitlines()[2].split(": ")[2]],
        ["a.toml:19", "error button_url_form buttons.1.url", "write an address that begins with https://"],
        ["a.toml:26", "error promotional_wording footer", "leave out 'sconti'"],
    ]
    assert done.stderr == "2 templates, 4 errors, 1 warning.\n"


def test_warnings_alone_exit_with_0(lint):
    old = json.dumps(GOOD | {"tag": "AUTO_REPLY"})

    done = lint("a.json", a_json=old)

    assert done.exit_code == 0
    assert done.stdout.startswith("a.json:1: warning tag_old tag: ")


def test_several_files_are_checked_together(lint):
    twin = json.dumps([GOOD | {"name": "pronto_2"}])

    done = lint("a.json", "b.json", a_json=json.dumps(GOOD), b_json=twin)

    assert [line.split(" ")[2] for line in done.stdout.splitlines()] == ["duplicate_text", "duplicate_text"]


@pytest.mark.parametrize(
    "piped", [json.dumps(GOOD | {"name": "X"}), json.dumps([GOOD | {"name": "X"}]), TOML]
)
def test_what_is_piped_in_is_read_whatever_it_is(lint, piped):
    done = lint("-", piped=piped)

    assert done.exit_code == 1
    assert "error name_format name" in done.stdout


@pytest.mark.parametrize(
    ("text", "field"), [('{"name": "x"}', "body"), ('[\n{"boddy": 1}]', "boddy"), ("[3]", "body")]
)
def test_what_the_api_would_not_read_is_an_error_too(lint, text, field):
    done = lint("a.json", a_json=text)

    assert done.exit_code == 1
    assert f"error invalid_request {field}: " in done.stdout


@pytest.mark.parametrize(
    "text", ["{", "", '{"a": 1} x', "[" * 100_000, "\ud800".encode("utf-8", "surrogatepass")]
)
def test_what_cannot_be_read_exits_with_2_and_gives_no_verdict(lint, tmp_path, text):
    (tmp_path / "b.json").write_bytes(text if isinstance(text, bytes) else text.encode())

    done = lint("a.json", "b.json", a_json=json.dumps(GOOD | {"name": "X"}))

    assert (done.exit_code, done.stdout) == (2, "")
    assert "b.json" in done.stderr


def test_a_file_that_is_not_there_exits_with_2(lint):
    assert lint("nix.toml").exit_code == 2
    assert lint().exit_code == 2


def test_as_json_each_finding_has_its_place_and_its_source(lint):
    done = lint("a.json", "--json", a_json=json.dumps(GOOD | {"name": "X"}, indent=1))

    (found,) = json.loads(done.stdout)
    assert (found["file"], found["line"], found["template"]) == ("a.json", 2, "X/it")
    assert (found["level"], found["code"], found["field"]) == ("error", "name_format", "name")
    assert found["mend"]
    assert found["source"]


@pytest.mark.parametrize(
    ("options", "exit_code"),
    [((), 1), (("--policy", "refuse"), 1), (("--policy", "warn"), 0), (("--policy", "allow"), 0)],
)
def test_the_policy_is_an_option(lint, options, exit_code):
    promoting = json.dumps(GOOD | {"body": "Sconti su tutto.", "samples": [], "tag": "MARKETING"})

    assert lint("a.json", *options, a_json=promoting).exit_code == exit_code


@pytest.mark.parametrize(("provider", "exit_code"), [("meta", 1), ("cm", 0)])
def test_the_provider_is_an_option(lint, provider, exit_code):
    with_picture = json.dumps(GOOD | {"header": {"kind": "image"}})

    assert lint("a.json", "--provider", provider, a_json=with_picture).exit_code == exit_code


def test_lines_of_json_are_those_of_the_values():
    text = '{"a": "x\\n\\"",\n "b": [\n  {"c": 1},\n  {"c": {\n    "d": true}}],\n "e": {}, "f": []}'
    lines = json_lines(text)

    assert lines[("a",)] == 1
    assert lines[("b", "0", "c")] == 3
    assert lines[("b", "1", "c", "d")] == 5
    assert (lines[("e",)], lines[("f",)]) == (6, 6)


def test_a_field_without_a_line_has_that_of_what_it_would_stand_in():
    lines = json_lines('[\n{},\n{"header": null}]')

    assert line_of(lines, ("1", "header", "sample")) == 3
    assert line_of(lines, ("0", "footer")) == 2
    assert line_of(lines, ("7", "x")) == 1


def test_lines_of_toml_are_those_of_keys_and_tables():
    lines = toml_lines(TOML)

    assert lines[("templates", "0", "header", "text")] == 10
    assert lines[("templates", "0", "buttons", "1", "url")] == 19
    assert lines[("templates", "1")] == 21
    assert toml_lines("header = {kind = 'text'}\nheader.x = 1")[("header",)] == 1
