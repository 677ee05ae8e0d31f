"""What on-call reads keeps step with the code: every metric asked for exists, every alert has its page."""

import json
import re
from pathlib import Path

import click
import pytest
import yaml

from cli.main import main
from shared.domain.message import MessageState
from shared.domain.templates import TemplateStatus
from shared.metrics import METRICS, PREFIX
from shared.observability import LogEvent
from tests.engineer import commands_of, placeholders_of

ROOT = Path(__file__).resolve().parent.parent
RULES_FILE = ROOT / "deploy" / "prometheus" / "finestra.rules.yml"
RULES = [rule for group in yaml.safe_load(RULES_FILE.read_text())["groups"] for rule in group["rules"]]
STAGED = yaml.safe_load(RULES_FILE.with_name("finestra.test.yml").read_text())["tests"]
PANELS = json.loads((ROOT / "deploy" / "grafana" / "finestra.json").read_text())["panels"]
PAGES = {page.stem: page.read_text(encoding="utf-8") for page in (ROOT / "docs" / "runbooks").glob("*.md")}
EXPRESSIONS = [rule["expr"] for rule in RULES] + [
    target["expr"] for panel in PANELS for target in panel["targets"]
]
LONGEST_PAGE = 30


def metrics_in(text: str) -> set[str]:
    """A histogram is asked for by its buckets."""
    return {name.removesuffix("_bucket") for name in re.findall(rf"\b{PREFIX}(\w+)", text)}


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_every_metric_that_is_asked_for_exists_with_its_labels(expression):
    for name in metrics_in(expression):
        assert name in METRICS
    for name, matchers in re.findall(rf"\b{PREFIX}(\w+)\{{([^}}]*)\}}", expression):
        assert set(re.findall(r"(\w+)(?:=~|!~|!=|=)", matchers)) <= set(METRICS[name].labels)


def test_states_and_statuses_that_are_asked_for_exist():
    text = "\n".join(EXPRESSIONS)
    states = {word for words in re.findall(r'state=~?"([^"]+)"', text) for word in words.split("|")}
    statuses = {word for words in re.findall(r'status[=!]~?"([^"]+)"', text) for word in words.split("|")}

    assert states - {"firing"} <= set(MessageState)
    assert {word.lstrip("~") for word in statuses} <= set(TemplateStatus)


def test_every_metric_stands_on_the_dashboard():
    shown = metrics_in("\n".join(target["expr"] for panel in PANELS for target in panel["targets"]))

    assert set(METRICS) - shown == set()


def test_every_panel_says_what_it_means():
    assert [panel["title"] for panel in PANELS if not panel.get("description")] == []


def test_every_alert_has_its_page_and_every_page_its_alert():
    assert {rule["alert"] for rule in RULES} == set(PAGES)
    assert [rule["annotations"]["runbook"] for rule in RULES] == [
        f"docs/runbooks/{rule['alert']}.md" for rule in RULES
    ]


def test_every_alert_is_staged_for_promtool():
    assert [test["name"] for test in STAGED] == [rule["alert"] for rule in RULES]


def test_every_alert_is_staged_as_a_fault_and_its_page_followed():
    files = (ROOT / "tests" / "oncall").glob("test_*.py")
    staged = "".join(path.read_text(encoding="utf-8") for path in files)

    assert [rule["alert"] for rule in RULES if not re.search(rf'"{rule["alert"]}"', staged)] == []


@pytest.mark.parametrize("name", PAGES)
def test_it_is_clear_what_to_fill_in(name):
    """A word in capitals is a label of the alert, or what every list and explanation shows."""
    (rule,) = [rule for rule in RULES if rule["alert"] == name]
    metrics = metrics_in(rule["expr"])
    labels = {label.upper() for metric in metrics for label in METRICS[metric].labels}
    shown = {"MESSAGE", "ENTRY", "CODE", "APP", "REFERENCE", "NAME", "LANGUAGE"}
    commands = [one for section in ("Look", "Do") for one in commands_of(PAGES[name], section)]
    asked = {word for command in commands for word in placeholders_of(command)}

    # What is neither is explained in the page itself.
    assert {word for word in asked - labels - shown if f"{word} is " not in PAGES[name]} == set()


@pytest.mark.parametrize("name", PAGES)
def test_a_page_says_what_it_means_what_to_look_at_and_what_to_do(name):
    page = PAGES[name]

    assert page.startswith(f"# {name}\n")
    assert re.findall(r"^\*\*(\w+)\.\*\*", page, re.MULTILINE) == ["Means", "Look", "Do"]
    assert len(page.splitlines()) <= LONGEST_PAGE


@pytest.mark.parametrize("name", PAGES)
def test_the_commands_and_names_of_a_page_exist(name):
    for words in re.findall(r"`finestra ([^`]+)`", PAGES[name]):
        assert_runs(words.split())
        assert "…" not in words, "a placeholder is a word in capitals that says what to fill in"
    for link in re.findall(r"\]\((\w+)\.md\)", PAGES[name]):
        assert link in PAGES
    assert metrics_in(PAGES[name]) <= set(METRICS)


def test_the_commands_of_the_page_on_operations_exist():
    page = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    # In a sentence a command may be broken over two lines.
    for words in re.findall(r"`finestra ([^`]+)`|^    finestra (.+)$|-m cli ([a-z ]+)", page, re.MULTILINE):
        assert_runs(" ".join(words).split())
    for path in re.findall(r"(?:deploy|tests)/[\w/]+\.\w+", page):
        assert (ROOT / path).exists(), path


def test_events_of_the_log_that_pages_name_exist():
    named = {"store_unavailable", "clock_not_measured", "bug", "webhook_refused"}

    assert named <= set(LogEvent)
    assert {word for page in PAGES.values() for word in re.findall(r"`(\w+)`", page)} >= named


def assert_runs(words: list[str]) -> None:
    """That there is such a command, that it has these options, and all that it needs if any is given."""
    command: click.Command = main
    while isinstance(command, click.Group):
        command = command.commands[words.pop(0)]
    options = {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)}

    needed = {one.opts[0] for one in command.params if isinstance(one, click.Option) and one.required}

    assert {word for word in words if word.startswith("--")} <= options
    assert not words or needed <= set(words)
