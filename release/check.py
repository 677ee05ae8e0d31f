"""Was every package of the lock file looked at? pip-audit ends green when it could ask about none of them
(seen with 2.10.1 in a closed network), and an SBOM that lacks a package looks like one that does not.

Knows the files that the tools write, and asks nobody.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name


@dataclass(frozen=True, slots=True, order=True)
class Package:
    name: str
    version: str

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


def locked(lock: str, *, everywhere: bool) -> list[Package]:
    """What a lock file pins: all of it, or what this Python on this machine would install."""
    requirements = [Requirement(line) for line in re.findall(r"^[\w.-]+==[^\\\n]+", lock, re.MULTILINE)]
    return sorted(
        _package(one.name, str(one.specifier).removeprefix("=="))
        for one in requirements
        if everywhere or one.marker is None or one.marker.evaluate()
    )


def faults_of_audit(lock: str, audit: Mapping[str, Any]) -> Iterator[str]:
    """`audit`: pip-audit's JSON. What is known of a package, and which packages nobody was asked about."""
    asked = {_package(one["name"], one["version"]): one for one in audit["dependencies"] if "version" in one}
    for package in locked(lock, everywhere=False):
        if package not in asked:
            yield f"{package}: nobody was asked about it"
            continue
        for known in asked[package]["vulns"]:
            mend = ", ".join(known["fix_versions"]) or "no version yet"
            yield f"{package}: {known['id']}, mended in {mend}"


def faults_of_sbom(lock: str, sbom: Mapping[str, Any]) -> Iterator[str]:
    """`sbom`: CycloneDX' JSON. What it lacks of the lock file, and what it has too much."""
    named = {_package(one["name"], one["version"]) for one in sbom.get("components", ())}
    pinned = set(locked(lock, everywhere=True))
    yield from (f"{package}: is not in the SBOM" for package in sorted(pinned - named))
    yield from (f"{package}: is in the SBOM and not in the lock file" for package in sorted(named - pinned))


def _package(name: str, version: str) -> Package:
    return Package(canonicalize_name(name), version)
