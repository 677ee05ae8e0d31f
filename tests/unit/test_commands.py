"""Every command says the same things in the same way: JSON for programs, problems on standard error."""

import json
from collections.abc import Iterator

import click
import pytest
from click.testing import CliRunner

from cli.main import main
from shared.problems import Code

#: What prints for people only, with the reason.
WITHOUT_JSON = {
    "up": "runs until it is stopped, and each process has its own log",
    "completion": "prints a script for a shell",
    "demo": "plays a story to watch; its exit code says whether all went as told",
}


def commands(group: click.Group, *words: str) -> Iterator[tuple[str, click.Command]]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands(command, *words, name)
        else:
            yield " ".join((*words, name)), command


COMMANDS = dict(commands(main))


def run(*words, **environ):
    clean = {"FINESTRA_DATA_DIR": "/nowhere", "FINESTRA_API_KEY": None, "FINESTRA_API_URL": None}
    return CliRunner().invoke(main, words, env={**clean, **environ})


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_can_answer_a_program(name):
    options = {option for parameter in COMMANDS[name].params for option in parameter.opts}

    assert ("--json" in options) is (name not in WITHOUT_JSON)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_and_option_says_what_it_is_for(name):
    options = [each for each in COMMANDS[name].params if isinstance(each, click.Option)]

    assert COMMANDS[name].help
    assert [each.name for each in options if not each.help and each.name != "limit"] == []


@pytest.mark.parametrize(
    ("words", "code", "exit_code"),
    [
        (("sender", "list"), "key_missing", 1),
        (("sender", "list", "--key", "k", "--url", "http://127.0.0.1:1"), "api_unreachable", 1),
        (("sender", "list", "--key", "k", "--url", "localhost:8081"), "url_malformed", 1),
        (("sender", "list", "--key", "ключ"), "key_malformed", 1),
        (("sender", "halt", "shop"), "usage", 2),
        (("sender", "hlat", "shop"), "usage", 2),
        (("message", "cancel", "--key", "k"), "usage", 2),
        (("template", "lint", "/nowhere.toml"), "command_failed", 2),
        (("consent", "import", "/nowhere.csv"), "usage", 2),
    ],
)
def test_what_goes_wrong_is_a_problem_on_standard_error_with_the_same_exit_code(words, code, exit_code):
    for_people, for_programs = run(*words), run(*words, "--json")
    problem = json.loads(for_programs.stderr)

    assert (for_people.exit_code, for_programs.exit_code) == (exit_code, exit_code)
    assert (for_people.stdout, for_programs.stdout) == ("", "")
    assert problem["code"] == code
    assert problem["detail"].splitlines()[0] in for_people.stderr


def test_a_mistake_in_an_option_names_it():
    problem = json.loads(run("sender", "halt", "shop", "--why", "x", "--kind", "alle", "--json").stderr)

    assert "template" in problem["errors"]["kind"][0]


def test_a_misspelt_command_is_told_the_right_one():
    assert "halt" in run("sender", "hlat").stderr
    assert "sender" in run("sendr", "list").stderr


def test_the_code_of_an_error_is_explained_without_a_network():
    for_people, for_programs = (
        run("docs", "errors", "message_in_doubt"),
        run("docs", "errors", "message_in_doubt", "--json"),
    )
    (told,) = json.loads(for_programs.stdout)["items"]

    assert (told["code"], told["status"]) == ("message_in_doubt", 409)
    assert told["title"] in for_people.stdout
    assert told["meaning"] in for_people.stdout
    assert "message_final" in run("docs", "errors", "mesage_final").stderr
    assert len(json.loads(run("docs", "errors", "--json").stdout)["items"]) == len(Code)


def test_the_code_of_a_provider_is_explained_too_with_whose_it_is():
    told = json.loads(run("docs", "errors", "131047", "--json").stdout)["items"]

    assert [(one["provider"], one["class"]) for one in told] == [("Meta", "window")]
    assert told[0]["mend"] in " ".join(run("docs", "errors", "131047").stdout.split())
