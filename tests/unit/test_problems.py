"""The codes of problems: each is explained, and each can be met."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.acceptance import RefusalCode
from shared.problems import Code, kinds
from shared.template_hindrance import Hindrance

ROOT = Path(__file__).resolve().parents[2]
SOURCES = [path for package in ("shared", "webhook") for path in (ROOT / package).rglob("*.py")]
ENUMS = {"Code": Code, "RefusalCode": RefusalCode, "Hindrance": Hindrance}


def is_code(node: ast.AST) -> bool:
    return isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in ENUMS


def is_list(node: ast.AST) -> bool:
    return isinstance(node, ast.Tuple) and all(is_code(e) or isinstance(e, ast.Starred) for e in node.elts)


def answered(node: ast.AST) -> Iterator[str]:
    """The codes that are named to be answered, not to be compared with, nor in a list for the documents."""
    if isinstance(node, ast.Compare | ast.MatchValue) or is_list(node):
        return
    if is_code(node):
        yield ENUMS[node.value.id][node.attr].value
    for child in ast.iter_child_nodes(node):
        yield from answered(child)


def test_every_code_that_is_answered_is_explained_and_the_other_way_round():
    used = {code for path in SOURCES for code in answered(ast.parse(path.read_text(encoding="utf-8")))}

    assert used == {code.value for code in kinds()} == {code.value for code in Code}


@pytest.mark.parametrize("words", [RefusalCode, Hindrance])
def test_what_is_refused_deeper_inside_has_a_code_at_the_door(words):
    assert {each.value for each in words} <= set(Code)


@pytest.mark.parametrize("code", Code)
def test_a_code_says_in_sentences_what_it_means_and_what_mends_it(code):
    kind = kinds()[code]

    assert kind.title
    assert not kind.title.endswith(".")
    for sentence in (kind.meaning, kind.mend):
        assert sentence.endswith(".")
        assert sentence.count("`") % 2 == 0


def test_codes_are_listed_by_status():
    statuses = [kind.status for kind in kinds().values()]

    assert statuses == sorted(statuses)
