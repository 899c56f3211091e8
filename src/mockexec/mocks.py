"""From what a user names (APIs, documents, a clock) to what a mock is made of."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from unicodedata import normalize

from mockexec import catalog
from mockexec.api import Api
from mockexec.errors import UsageError
from mockexec.server.generic import generic_api
from mockexec.server.mock import ScenarioLoader
from mockexec.simulation.clock import Clock
from mockexec.simulation.world import Scenario
from mockexec.spec.load import load_document

_SCALED = re.compile(r"x(\d{1,7}(?:\.\d{1,6})?)", re.ASCII)


def load_apis(names: Sequence[str], documents: Sequence[Path]) -> list[Api]:
    """The APIs of these names, then those of the documents.

    Raises:
        UsageError: there is no such API, or two would have the same name.
        DocumentError: a document cannot be read.
    """
    apis = [catalog.api(name) for name in dict.fromkeys(names)]
    for path in documents:
        name = name_of(path)
        if name in {api.name for api in apis}:
            raise UsageError(
                f"{path} would be served as {name}, which is taken; rename the file, "
                "or choose the other APIs with --api"
            )
        apis.append(generic_api(load_document(path), name))
    return apis


def name_of(path: Path) -> str:
    """The name under which a document is served: its file's, as far as a path can carry it."""
    # Letters without their accents: those are then characters of their own, and fall out.
    plain = normalize("NFKD", path.stem).encode("ascii", "ignore").decode()
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", plain).strip("-._")
    if not name:
        raise UsageError(
            f"{path}: a document is served under its file's name, as far as that has letters from "
            "a to z or digits; this has none, so rename the file or make a link to it"
        )
    return name


def scenario_loader(documents: Sequence[Path]) -> ScenarioLoader:
    """Scenarios from the fixtures; a user's document has none, and an empty world."""
    generic = {name_of(path) for path in documents}

    def load(api: str, scenario: str) -> Scenario:
        return Scenario(api, "none", {}) if api in generic else catalog.scenario(api, scenario)

    return load


def check_options(apis: Sequence[Api], options: Mapping[str, str]) -> None:
    """Raises UsageError for an option ``API.OPTION`` that no served API has, or a wrong value."""
    readers = {
        f"{api.name}.{option}": api.dialect.option_readers.get(option, str)
        for api in apis
        for option in api.dialect.options
    }
    for name, value in options.items():
        if name not in readers:
            there = ", ".join(readers) or "none"
            raise UsageError(f"there is no option {name!r}; there are: {there}")
        try:
            readers[name](value)
        except ValueError as error:
            raise UsageError(f"option {name}: {error}") from None


def clock_of(text: str) -> Clock:
    """The clock ``real``, ``frozen``, or ``x60``: sixty times as fast.

    Raises:
        UsageError: it is none of these.
    """
    if text in {"real", "frozen"}:
        return Clock("real" if text == "real" else "frozen")
    scaled = _SCALED.fullmatch(text)
    if scaled is None or float(scaled[1]) <= 0:
        raise UsageError(f"{text!r} is neither real nor frozen nor a pace such as x60")
    return Clock("scaled", scale=float(scaled[1]))
