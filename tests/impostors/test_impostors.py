"""The impostors: correct without a fault, and each fault to be seen."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path

import httpx
import pytest

from tests.impostors.document import SPECS
from tests.impostors.serving import InProcess, serving

HERE = Path(__file__).parent
APIS = sorted(path.stem.removesuffix("_probes") for path in HERE.glob("*_probes.py"))
SERVERS = {api: import_module(f"tests.impostors.{api}") for api in APIS}
PROBES = {api: import_module(f"tests.impostors.{api}_probes") for api in APIS}
EVERY_FAULT = [(api, fault) for api in APIS for fault in SERVERS[api].FAULTS]


def fresh(api: str, fault: str | None = None) -> httpx.Client:
    """A client of a fresh server in process; it brings no credentials."""
    transport = InProcess(SERVERS[api].make_app(fault))
    return httpx.Client(transport=transport, base_url=f"http://impostor/{api}")


@pytest.mark.parametrize("api", APIS)
def test_without_a_fault_the_story_holds(api: str) -> None:
    """Arrivals, reads, lists, pages, filters, cancellation and refusals are as documented."""
    with (
        serving(SERVERS[api].make_app()) as url,
        httpx.Client(base_url=f"{url}/{api}", timeout=30) as client,
    ):
        PROBES[api].story(client)


@pytest.mark.parametrize(("api", "fault"), EVERY_FAULT)
def test_a_fault_shows(api: str, fault: str) -> None:
    """One request, or a few, are answered otherwise than by the correct server."""
    probe = PROBES[api].PROBES[fault]
    with fresh(api) as correct, fresh(api, fault) as faulty:
        assert probe(correct) != probe(faulty)


@pytest.mark.parametrize("api", APIS)
def test_faults_are_many_and_told_in_a_sentence(api: str) -> None:
    """At least fifteen, by a name in kebab case, each with a request that shows it."""
    faults: dict[str, str] = SERVERS[api].FAULTS
    assert len(faults) >= 15
    assert faults.keys() == PROBES[api].PROBES.keys()
    for name, sentence in faults.items():
        assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)+", name)
        assert len(sentence.split()) >= 4


def test_every_document_has_an_impostor() -> None:
    """None is forgotten."""
    assert sorted(path.stem for path in SPECS.glob("*.yaml")) == APIS


def test_no_impostor_uses_the_mock() -> None:
    """They would else share its mistakes."""
    for path in HERE.glob("*.py"):
        assert not re.search(r"^\s*(from|import) mockexec", path.read_text(), re.MULTILINE), path
