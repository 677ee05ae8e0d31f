"""A real bash completes our words with the script that we print; what it cannot know it is silent about."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.shell_completion import BashComplete
from click.testing import CliRunner

from cli.main import main
from tests.builders import World
from tests.typed import served
from webhook.api.app import create_api

BIN = str(Path(sys.executable).parent)
#: What bash does when Tab is pressed, and then prints what it would offer.
TAB = """
eval "$(finestra completion bash)"
COMP_WORDS=(finestra "$@")
COMP_CWORD=$#
_finestra_completion finestra
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    """No key and no address but those that are said."""
    for name in [name for name in os.environ if name.startswith("FINESTRA_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("FINESTRA_DATA_DIR", str(tmp_path))
    return monkeypatch


def offered(*words):
    found = BashComplete(main, {}, "finestra", "_").get_completions(list(words[:-1]), words[-1])
    return [each.value for each in found]


def test_bash_asks_and_offers_what_the_api_knows(elsewhere, fake_redis):
    with served(create_api(World(fake_redis).deps)) as url:
        elsewhere.setenv("FINESTRA_API_URL", url)
        elsewhere.setenv("FINESTRA_API_KEY", "desk-key")
        elsewhere.setenv("PATH", BIN, prepend=os.pathsep)
        command = ["bash", "-c", TAB, "bash", "sender", "halt", ""]
        shell = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)

    assert (shell.stdout.split(), shell.stderr) == (["shop", "negozio"], "")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_has_a_script_that_asks_us(shell):
    assert f"_FINESTRA_COMPLETE={shell}_complete" in CliRunner().invoke(main, ["completion", shell]).stdout


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        (("sen",), ["send", "sender"]),
        (("message", "resolve", "msg_1", "d"), ["delivered"]),
        (("message", "list", "--state", "failed,un"), ["failed,unknown"]),
        (("events", "--types", "window.o"), ["window.opened"]),
    ],
)
def test_words_that_are_known_are_offered(words, answer):
    assert offered(*words) == answer


def test_without_a_key_or_an_api_it_is_silent(elsewhere, capfd):
    assert offered("sender", "halt", "") == []
    elsewhere.setenv("FINESTRA_API_KEY", "k")
    elsewhere.setenv("FINESTRA_API_URL", "http://127.0.0.1:1")

    assert offered("template", "list", "--sender", "") == []
    assert capfd.readouterr() == ("", "")
