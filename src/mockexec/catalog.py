"""Which APIs there are, and where their documents, fixtures and traits lie.

Built-in APIs are found, not listed: a folder under ``mockexec/apis`` with a ``DIALECT``, a document
``specs/<name>.yaml`` and a folder ``fixtures/<name>``. Other packages add theirs by the entry point
``mockexec.apis``, whose object is a ``Plugin``.
"""

from __future__ import annotations

import pkgutil
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from mockexec import apis
from mockexec.api import Api, Dialect, make_api
from mockexec.errors import UsageError
from mockexec.scenarios import load_scenario
from mockexec.simulation.world import Model, Scenario
from mockexec.spec.load import load_document

if TYPE_CHECKING:
    # A mock that is served has no use for them.
    from mockexec.traits import Traits

_PACKAGE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Plugin:
    """An API from another package: what its entry point must name."""

    dialect: Dialect
    document: Path
    fixtures: Path
    traits: Traits | None = None


def built_in_names() -> tuple[str, ...]:
    """The APIs that come with mockexec, in alphabetical order."""
    return tuple(sorted(module.name for module in pkgutil.iter_modules(apis.__path__)))


def names() -> tuple[str, ...]:
    """All APIs that can be served by name: built in first, then from other packages."""
    return (*built_in_names(), *sorted(_plugins()))


def api(name: str) -> Api:
    """The API ``name``, its document freshly loaded.

    Raises:
        UsageError: there is none of this name.
        DocumentError: its document cannot be read.
    """
    plugin = _plugin(name)
    return make_api(load_document(plugin.document, keep=True), plugin.dialect)


def scenario(name: str, scenario_name: str) -> Scenario:
    """A scenario of the API ``name``; raises UsageError or FixtureError."""
    return load_scenario(name, fixtures_folder(name), scenario_name)


def model(name: str) -> Model:
    """How executions of the API ``name`` are simulated; raises UsageError if there is none."""
    return _plugin(name).dialect.model


def traits(name: str) -> Traits | None:
    """What the API ``name`` declares for its checks; None if it declares nothing.

    Raises:
        UsageError: there is none of this name.
    """
    plugin = _plugin(name)
    module = f"mockexec.apis.{name}.traits"
    if name not in built_in_names() or find_spec(module) is None:
        return plugin.traits
    found: Traits = import_module(module).TRAITS
    return found


def fixtures_folder(name: str) -> Path:
    """Where the scenarios of the API ``name`` lie."""
    return _plugin(name).fixtures


def data_folder(kind: str) -> Path:
    """``specs`` or ``fixtures``: inside an installed package, beside ``src`` in a checkout."""
    inside = _PACKAGE / kind
    return inside if inside.is_dir() else _PACKAGE.parents[1] / kind


def _plugin(name: str) -> Plugin:
    if name in built_in_names():
        dialect: Dialect = import_module(f"mockexec.apis.{name}").DIALECT
        return Plugin(
            dialect, data_folder("specs") / f"{name}.yaml", data_folder("fixtures") / name
        )
    plugins = _plugins()
    if name not in plugins:
        raise UsageError(f"there is no API {name!r}; there are: {', '.join(names())}")
    return plugins[name]


@cache
def _plugins() -> dict[str, Plugin]:
    return {entry.name: entry.load() for entry in entry_points(group="mockexec.apis")}
