"""What is installed is what was reviewed: exact pins, known bad releases excluded, licences that may be used."""

from __future__ import annotations

import re
import tomllib
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[2]
PINS = {
    Requirement(line).name.lower().replace("_", "-"): Requirement(line)
    for line in (ROOT / "constraints.txt").read_text().splitlines()
    if line.strip() and not line.startswith("#")
}
REFUSED = re.compile(r"\b(A?GPL|SSPL|BUSL|Commons.Clause)", re.IGNORECASE)


def _declared() -> list[Requirement]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    texts = [*project["dependencies"], *(t for extra in project["optional-dependencies"].values() for t in extra)]
    return [Requirement(text) for text in texts if not text.startswith("parley-arena")]


def test_every_pin_is_one_version() -> None:
    for name, pin in PINS.items():
        assert re.fullmatch(r"==[^*,]+", str(pin.specifier)), name


def test_every_direct_dependency_is_pinned_within_its_range() -> None:
    for wanted in _declared():
        pin = PINS.get(wanted.name.lower().replace("_", "-"))
        if pin is None:
            assert wanted.name == "ray", f"{wanted.name} has no pin"  # an extra that the tests do not install
            continue
        (version,) = (s.version for s in pin.specifier)
        assert wanted.specifier.contains(version, prereleases=True), wanted.name


def test_releases_of_litellm_that_stole_keys_are_excluded() -> None:
    (wanted,) = (r for r in _declared() if r.name == "litellm")

    assert not wanted.specifier.contains(Version("1.82.7"))
    assert not wanted.specifier.contains(Version("1.82.8"))


def test_no_pinned_package_has_a_licence_that_we_do_not_take() -> None:
    found = []
    for name in PINS:
        try:
            facts = distribution(name).metadata
        except PackageNotFoundError:
            continue
        said = [" ".join(facts.get_all("License-Expression") or []), *(facts.get_all("Classifier") or [])]
        licences = " ".join(s for s in said if not s.startswith("Classifier") and ("License" in s or s == said[0]))
        if REFUSED.search(licences.replace("LGPL", "")):
            found.append(f"{name}: {licences}")

    assert found == []
