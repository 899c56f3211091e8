"""The pool of people that every scenario draws from, made with Faker from a seed.

The one module of the command line that imports Faker; nothing that serves does.
"""

from __future__ import annotations

import re
import unicodedata

from faker import Faker

from mockexec.simulation.chance import Chance

# A company with colleagues in several countries: names with accents show who mishandles them.
_COUNTRIES = {"en_US": 8, "en_GB": 3, "de_DE": 2, "fr_FR": 2, "es_ES": 2, "pl_PL": 1, "sv_SE": 1}
# A top-level domain that RFC 2606 reserves: no mail can ever reach anyone.
_DOMAIN = "acme.example"
# Letters that Unicode does not take apart into a plain letter and an accent.
_PLAIN_LETTERS = str.maketrans({"ß": "ss", "ø": "o", "Ø": "O", "ł": "l", "Ł": "L", "œ": "oe"})


def people(seed: int, count: int) -> list[dict[str, str]]:
    """``count`` people, the same for the same seed and the same release of Faker.

    Each has ``id`` (a UUID), ``name``, ``username`` and ``email``, all but the name unique.
    """
    chance = Chance(seed)
    country_of = chance.random("countries")
    fakers = {country: Faker(country) for country in _COUNTRIES}
    for faker in fakers.values():
        faker.seed_instance(seed)
    found: dict[str, dict[str, str]] = {}
    while len(found) < count:
        faker = fakers[country_of.choices(list(_COUNTRIES), list(_COUNTRIES.values()))[0]]
        first, last = faker.first_name(), faker.last_name()
        username = _username(first, last)
        if username not in found:
            found[username] = {
                "id": chance.uuid("ids"),
                "name": f"{first} {last}",
                "username": username,
                "email": f"{username}@{_DOMAIN}",
            }
    return list(found.values())


def as_yaml(persons: list[dict[str, str]], seed: int) -> str:
    """The content of ``fixtures/people.yaml``."""
    lines = [
        "# People to draw owners and users from. None of them exists; made by",
        f"# `mockexec fixtures people --seed {seed} --count {len(persons)}`.",
        "people:",
    ]
    for person in persons:
        fields = ", ".join(f'{key}: "{value}"' for key, value in person.items())
        lines.append(f"  - {{{fields}}}")
    return "\n".join(lines) + "\n"


def _username(first: str, last: str) -> str:
    text = f"{first}.{last}".translate(_PLAIN_LETTERS).replace(" ", "").lower()
    decomposed = unicodedata.normalize("NFKD", text)
    return re.sub(r"[^a-z0-9.-]", "", decomposed)
