"""Scenario files: YAML in ``fixtures/<api>/``, checked against a schema, read into values.

A file may say ``extends: default`` and then holds only the sections that differ. ``people.yaml``
beside the API folders is a pool of people that every scenario can draw from.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import cache, partial
from pathlib import Path
from typing import Any

import jsonschema_rs

from mockexec.errors import FixtureError, UsageError
from mockexec.simulation.instants import parse_duration
from mockexec.simulation.lifecycle import Profile
from mockexec.simulation.world import Arrival, Pointer, Scenario
from mockexec.spec.parse import Marked, marks
from mockexec.spec.parsed import parse_kept

_COMMON_URI = "urn:mockexec:fixtures"
_EXTENDS_MAX = 5


def load_scenario(api: str, folder: Path, name: str) -> Scenario:
    """The scenario ``name`` of ``api``, whose files lie in ``folder``.

    Raises:
        UsageError: there is no such scenario; the message lists those there are.
        FixtureError: the file is not as its schema wants it, with file, line and key.
    """
    path = folder / f"{name}.yaml"
    if not path.is_file():
        known = ", ".join(scenario_names(folder)) or "none"
        raise UsageError(f"{api} has no scenario {name!r}; there are: {known}")
    data, sources = _merged(path, folder, _EXTENDS_MAX)
    people = folder.parent / "people.yaml"
    if people.is_file() and "people" not in data:
        data["people"] = _people(people)
    locate = partial(_locate, path, sources)
    profiles, arrivals = _profiles(data, locate), _arrivals(data, locate)
    return Scenario(api, name, data, profiles, arrivals, locate)


def scenario_names(folder: Path) -> tuple[str, ...]:
    """The scenarios that a fixture folder holds."""
    return tuple(sorted(path.stem for path in folder.glob("*.yaml")))


def check_fixture(path: Path) -> None:
    """Checks one scenario file by itself; raises FixtureError with file, line and key."""
    _read(path, path.parent)


def _merged(path: Path, folder: Path, extends_left: int) -> tuple[dict[str, Any], dict[str, Path]]:
    """The sections of a file and of those that it extends, and which file each of them is from."""
    data = _read(path, folder)
    base = data.pop("extends", None)
    sources: dict[str, Path] = dict.fromkeys(data, path)
    if base is None:
        return data, sources
    base_path = folder / f"{base}.yaml"
    if not base_path.is_file() or not extends_left:
        reason = "no such scenario" if extends_left else "too many files extend each other"
        raise _error(path, ("extends",), f"extends {base!r}: {reason}")
    base_data, base_sources = _merged(base_path, folder, extends_left - 1)
    return {**base_data, **data}, {**base_sources, **sources}


def _read(path: Path, folder: Path) -> dict[str, Any]:
    source = path.read_bytes()
    data = parse_kept(source, path, file=_label(path))
    error = next(_validator(folder).iter_errors(data), None)
    if error is not None:
        pointer = tuple(error.instance_path)
        key = "/".join(str(part) for part in pointer) or "the file"
        raise _error(path, pointer, f"{key}: {error.message}")
    content: dict[str, Any] = data
    return content


@cache
def _validator(folder: Path) -> Any:
    common = json.loads((folder.parent / "common.schema.json").read_bytes())
    own = json.loads((folder / "schema.json").read_bytes())
    registry = jsonschema_rs.Registry([(_COMMON_URI, common)])
    return jsonschema_rs.Draft202012Validator(own, registry=registry, validate_formats=True)


@cache
def _people(path: Path) -> Any:
    return parse_kept(path.read_bytes(), path, file=_label(path))["people"]


_Locate = Callable[[Pointer], tuple[str, int]]


def _profiles(data: Mapping[str, Any], locate: _Locate) -> dict[str, Profile]:
    profiles = {}
    for name, raw in data.get("profiles", {}).items():
        try:
            profiles[name] = Profile.parse(name, raw)
        except ValueError as error:
            file, line = locate(("profiles", name))
            raise FixtureError(f"profiles/{name}: {error}", file=file, line=line) from None
    return profiles


def _arrivals(data: Mapping[str, Any], locate: _Locate) -> tuple[Arrival, ...]:
    arrivals = []
    for index, raw in enumerate(data.get("arrivals", ())):
        try:
            every_ns = parse_duration(raw["every"])
            if every_ns <= 0:
                raise ValueError("every must be positive")
        except ValueError as error:
            file, line = locate(("arrivals", index))
            raise FixtureError(f"arrivals/{index}: {error}", file=file, line=line) from None
        arrivals.append(Arrival(raw["name"], every_ns, raw))
    return tuple(arrivals)


def _error(path: Path, pointer: Pointer, message: str) -> FixtureError:
    return FixtureError(message, file=_label(path), line=_line(path, pointer))


def _locate(path: Path, sources: Mapping[str, Path], pointer: Pointer) -> tuple[str, int]:
    """File and line of a place in the scenario at ``path``, whose sections may be from others."""
    source = sources.get(str(pointer[0]), path)
    return _label(source), _line(source, pointer)


def _line(path: Path, pointer: Pointer) -> int:
    """The line of a place, or of the last part of the way there that the file has."""
    node = marks(path.read_bytes(), file=_label(path))
    for part in pointer:
        value = node.value
        inner = value.get(part) if isinstance(value, dict) else None
        if isinstance(value, list) and isinstance(part, int) and part < len(value):
            inner = value[part]
        if not isinstance(inner, Marked):
            break
        node = inner
    return node.line


def _label(path: Path) -> str:
    """The path as a user would name it."""
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)
