"""What people read keeps step with the code: settings, rules, events of the log, scripts."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.domain.routes import Rule
from shared.explanation import EXPLANATIONS
from shared.observability import LogEvent

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("shared", "webhook", "workers", "sandbox", "cli")
README = (ROOT / "README.md").read_text(encoding="utf-8")
SECURITY = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
CHANGELOG = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
SOURCES = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]
SCRIPTS = sorted((ROOT / "shared" / "store" / "lua").glob("*.lua"))
LOG_LEVELS = {"debug", "info", "warning", "error", "exception", "critical"}
LONGEST_SCRIPT = 80


def nodes_of(path: Path) -> Iterator[ast.AST]:
    return ast.walk(ast.parse(path.read_text(encoding="utf-8"), str(path)))


def settings_read() -> set[str]:
    """The names in `env.str("NAME", …)` and its like."""
    return {
        f"FINESTRA_{node.args[0].value}"
        for node in nodes_of(ROOT / "shared" / "settings.py")
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and ast.unparse(node.func.value) == "env"
        and node.args
        and isinstance(node.args[0], ast.Constant)
    }


def test_settings_are_found():
    assert {"FINESTRA_REDIS_URL", "FINESTRA_WORKER_SLOTS"} <= settings_read()


def test_every_setting_stands_in_the_readme():
    assert settings_read() - set(re.findall(r"FINESTRA_[A-Z_]+", README)) == set()


def test_the_readme_names_no_setting_that_nobody_reads():
    read = settings_read().union(*(re.findall(r"FINESTRA_[A-Z_]+", p.read_text("utf-8")) for p in SOURCES))

    assert set(re.findall(r"FINESTRA_[A-Z_]+", README)) - read == set()


def test_the_readme_is_read_in_one_sitting():
    assert len(README.splitlines()) < 120


def test_the_readme_names_targets_and_folders_that_are_there():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"\bmake ([a-z]+)", README)) - set(
        re.findall(r"^([a-z]+):", makefile, re.MULTILINE)
    )
    folders = [name for name in re.findall(r"`([a-z/]+/)`", README) if not list(ROOT.rglob(name))]

    assert targets == set()
    assert folders == []


@pytest.mark.parametrize("rule", Rule)
def test_every_rule_is_explained_where_it_is_declared(rule):
    assert EXPLANATIONS[rule].strip()


def test_every_event_of_the_log_is_declared():
    used = {
        node.attr
        for path in SOURCES
        for node in nodes_of(path)
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "LogEvent"
    }

    assert used - set(LogEvent.__members__) == set()
    assert used


def test_every_line_of_the_log_begins_with_a_declared_event():
    undeclared = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in SOURCES
        for node in nodes_of(path)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in LOG_LEVELS
        and ast.unparse(node.func.value) == "get_logger()"
        and not (node.args and ast.unparse(node.args[0]).startswith("LogEvent."))
    ]

    assert undeclared == []


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_every_script_opens_with_its_purpose_and_ends_in_time(script):
    lines = script.read_text(encoding="utf-8").splitlines()
    header = "\n".join(line for line in lines[:12] if line.startswith("--"))

    assert header.startswith("-- ")
    if script.stem != "prelude":
        assert all(word in header for word in ("KEYS", "ARGV", "Returns"))
        assert len(lines) <= LONGEST_SCRIPT


def test_every_promise_of_security_is_there_with_a_test_or_a_reason():
    rows = dict(re.findall(r"^\| S(\d+) \| (.+) \|$", SECURITY, re.MULTILINE))

    assert list(map(int, rows)) == list(range(1, 39))
    assert [number for number, row in rows.items() if "`tests/" not in row and "Not: " not in row] == []


def test_every_test_that_security_names_is_there():
    named = re.findall(r"`(tests/[\w/]+\.py)::(test_\w+)`", SECURITY)
    missing = [f"{path}::{name}" for path, name in named if f"def {name}(" not in _text_of(path)]

    assert len(named) > 50
    assert missing == []


def _text_of(path: str) -> str:
    found = ROOT / path
    return found.read_text(encoding="utf-8") if found.exists() else ""


def test_the_changelog_tells_of_the_version_that_is_built():
    (version,) = re.findall(r'^version = "(.+)"$', (ROOT / "pyproject.toml").read_text("utf-8"), re.MULTILINE)

    assert version in CHANGELOG
    assert re.search(r"^## \[Unreleased\]$", CHANGELOG, re.MULTILINE)
