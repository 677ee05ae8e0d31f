"""The steps of a release tell "nothing was found" from "nobody was asked"."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from release.__main__ import main
from release.check import faults_of_audit, faults_of_sbom, locked

ROOT = Path(__file__).resolve().parent.parent.parent
LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")
TWO = """celery==5.7.0 \\
    --hash=sha256:aa
Old_Times==1.0 ; python_full_version < '3' \\
    --hash=sha256:bb
flask==3.1.3 \\
    --hash=sha256:cc
"""


def asked(name, version, *vulns):
    return {"name": name, "version": version, "vulns": list(vulns)}


def test_every_line_of_the_lock_file_is_a_package():
    pins = [line for line in LOCK.splitlines() if line and not line.startswith(" ")]

    assert len(locked(LOCK, everywhere=True)) == len(pins) > 40
    assert "celery" in {package.name for package in locked(LOCK, everywhere=False)}


def test_an_audit_that_asked_about_all_and_found_nothing_has_no_faults():
    audit = {"dependencies": [asked("Celery", "5.7.0"), asked("flask", "3.1.3")]}

    assert list(faults_of_audit(TWO, audit)) == []


@pytest.mark.parametrize(
    "flask",
    [
        pytest.param([], id="left out"),
        pytest.param([{"name": "flask", "skip_reason": "not found on PyPI"}], id="skipped, as offline"),
        pytest.param([asked("flask", "3.1.2")], id="another version"),
    ],
)
def test_a_package_that_nobody_was_asked_about_is_a_fault(flask):
    audit = {"dependencies": [asked("celery", "5.7.0"), *flask]}

    assert list(faults_of_audit(TWO, audit)) == ["flask 3.1.3: nobody was asked about it"]


def test_a_known_weakness_is_a_fault_with_its_mend():
    known = {"id": "PYSEC-2026-1", "fix_versions": ["3.1.4"]}
    audit = {"dependencies": [asked("celery", "5.7.0"), asked("flask", "3.1.3", known)]}

    assert list(faults_of_audit(TWO, audit)) == ["flask 3.1.3: PYSEC-2026-1, mended in 3.1.4"]


def test_an_sbom_names_every_package_of_every_system_and_no_other():
    component = {"celery": "5.7.0", "old-times": "1.0", "flask": "3.1.3"}
    whole = {"components": [{"name": name, "version": version} for name, version in component.items()]}
    other = {"components": [*whole["components"][:2], {"name": "flsak", "version": "3.1.3"}]}

    assert list(faults_of_sbom(TWO, whole)) == []
    assert list(faults_of_sbom(TWO, other)) == [
        "flask 3.1.3: is not in the SBOM",
        "flsak 3.1.3: is in the SBOM and not in the lock file",
    ]


def test_a_step_that_wrote_nothing_is_no_success(tmp_path):
    lock = tmp_path / "lock"
    lock.write_text(TWO)
    answers = tmp_path / "sbom.json"
    answers.write_text(json.dumps({"components": []}))

    assert CliRunner().invoke(main, ["audit", str(lock), str(tmp_path / "audit.json")]).exit_code == 1
    assert CliRunner().invoke(main, ["sbom", str(lock), str(answers)]).exit_code == 1


def test_what_a_release_uses_is_pinned_by_hash_too():
    tools = {
        package.name for package in locked((ROOT / "requirements-release.lock").read_text(), everywhere=True)
    }

    assert {"pip-audit", "cyclonedx-bom"} <= tools
    assert "--require-hashes -r requirements-release.lock" in (ROOT / "Makefile").read_text(encoding="utf-8")
