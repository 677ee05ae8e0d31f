"""Whoever is on call and knows nothing: reads an alert's page and types what stands there, word for word.

A word in capitals is a placeholder: a label of the alert, or what an earlier command showed.
"""

import os
import re
import subprocess
from pathlib import Path

from click.testing import CliRunner

from cli.main import main

PAGES = Path(__file__).resolve().parent.parent / "docs" / "runbooks"
_COMMANDS = ("finestra ", "redis-cli ", "curl ")
_PLACEHOLDER = re.compile(r"(?<![$\w{])[A-Z][A-Z_]+\b")
#: What these look like wherever they are shown.
_SHOWN = {"MESSAGE": r"\bmsg_[0-9A-Z]{26}\b", "ENTRY": r"\b\d{13}-\d+\b"}


def commands_of(page: str, section: str) -> list[str]:
    """Those in backticks of a section, in order; a sentence may break them over two lines."""
    (text,) = re.findall(rf"\*\*{section}\.\*\*(.*?)(?=^\*\*|\Z)", page, re.MULTILINE | re.DOTALL)
    quoted = [" ".join(words.split()) for words in re.findall(r"`([^`]+)`", text)]
    return [words for words in quoted if words.startswith(_COMMANDS)]


def placeholders_of(command: str) -> set[str]:
    return set(_PLACEHOLDER.findall(command))


class Engineer:
    """Follows one page. `read`: what no pattern can tell, like CODE; the page or a command has to show it.
    None: there is no such thing, and the step is not for this case.
    """

    def __init__(self, alert: str, *, labels: dict[str, str] | None = None, **read: str | None) -> None:
        self.page = (PAGES / f"{alert}.md").read_text(encoding="utf-8")
        self._labels = {name.upper(): value for name, value in (labels or {}).items()}
        self._read = read
        self.shown = ""

    def looks(self) -> str:
        """All that the commands of the section Look show."""
        nothing = {name for name, value in self._read.items() if value is None}
        for command in commands_of(self.page, "Look"):
            if not placeholders_of(command) & nothing:
                self._run(command)
        return self.shown

    def does(self, beginning: str, answer: str | None = None) -> str:
        """The command of the section Do that begins so, as it stands there; `answer`: to what it asks."""
        command = next(one for one in commands_of(self.page, "Do") if one.startswith(beginning))
        return self._run(command, answer)

    def _run(self, command: str, answer: str | None = None) -> str:
        typed = _PLACEHOLDER.sub(lambda found: self._filled(found[0], command), command)
        words = typed.split()
        said = _finestra(words[1:], answer) if words[0] == "finestra" else _shell(typed)
        self.shown += f"$ {typed}\n{said}\n"
        return said

    def _filled(self, name: str, command: str) -> str:
        if name in self._labels:
            return self._labels[name]
        if name in _SHOWN:
            found = re.search(_SHOWN[name], self.shown)
            assert found, f"nothing that was shown tells {name} of `{command}`:\n{self.shown}"
            return found[0]
        assert name in self._read, f"who knows {name} of `{command}`?\n{self.shown}"
        assert self._read[name] in self.shown + self.page, f"what shows {name} of `{command}`?\n{self.shown}"
        return self._read[name]


def _finestra(words: list[str], answer: str | None) -> str:
    done = CliRunner().invoke(main, words, input=answer, env={"COLUMNS": "200"})
    assert done.exit_code in (0, 1), f"{words}: {done.output}"
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.output


def _shell(line: str) -> str:
    """`redis-cli` is what operations.md says: here REDIS_CLI."""
    line = re.sub(r"^redis-cli\b", os.environ.get("REDIS_CLI", "redis-cli"), line)
    done = subprocess.run(["sh", "-c", line], capture_output=True, text=True, check=False, timeout=20)
    return done.stdout + done.stderr
