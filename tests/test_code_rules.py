"""Rules of security that code could break without any other test to tell: parsed, not believed."""

import ast
import re
from collections.abc import Iterator

from tests.test_architecture import modules, tree_of

_SECRET = re.compile(r"(?i)digest|signature|secret|token|api_key|password")
#: Whether it is there, not whether it is the right one.
_NO_COMPARISON = (ast.Is, ast.IsNot, ast.In, ast.NotIn)


def nodes() -> Iterator[tuple[str, ast.AST]]:
    for name, path in modules().items():
        yield from ((name, node) for node in ast.walk(tree_of(path)))


def test_no_secret_is_compared_by_equality():
    """What takes longer for a better guess tells it: hmac.compare_digest is there for this."""
    found = [
        f"{name}:{node.lineno} {ast.unparse(node)}"
        for name, node in nodes()
        if name.startswith(("webhook", "shared.callbacks", "shared.store.keyed_hash"))
        and isinstance(node, ast.Compare)
        and not all(isinstance(how, _NO_COMPARISON) for how in node.ops)
        and any(_SECRET.search(ast.unparse(side)) for side in (node.left, *node.comparators))
        and "len(" not in ast.unparse(node)
    ]

    assert found == []


def test_nobody_turns_debugging_on_or_the_proof_of_certificates_off():
    switched = [
        f"{name}:{node.lineno} {ast.unparse(keyword)}"
        for name, node in nodes()
        if isinstance(node, ast.Call)
        for keyword in node.keywords
        if (keyword.arg, getattr(keyword.value, "value", None)) in {("debug", True), ("verify", False)}
    ]
    pickled = [name for name, node in nodes() if isinstance(node, ast.Import) and _imports_pickle(node)]

    assert switched == []
    assert pickled == []


def _imports_pickle(node: ast.Import) -> bool:
    return any(alias.name in {"pickle", "marshal", "shelve"} for alias in node.names)
