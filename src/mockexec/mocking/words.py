"""Texts that a person might have written: by format, by the name of a property, or plain words."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Callable
from functools import cache
from typing import Any
from uuid import UUID

from mockexec.simulation.chance import Random
from mockexec.simulation.instants import DAY, SECOND, format_instant

# Dates lie in the month before this instant, whatever the clock shows: same seed, same bytes.
_LATEST_NS = 1_767_268_800_000_000_000  # 2026-01-01T12:00:00Z
_WORDS = (
    *("amber", "autumn", "basin", "birch", "bridge", "canyon", "cedar", "cloud", "copper", "coral"),
    *("delta", "ember", "falcon", "fern", "field", "forest", "garden", "glacier", "harbor"),
    *("hazel", "island", "ivory", "jasper", "juniper", "lagoon", "lantern", "maple", "meadow"),
    *("mesa", "north", "ocean", "orchard", "pebble", "pine", "prairie", "quartz", "raven", "ridge"),
    *("river", "saffron", "sage", "silver", "slate", "spruce", "stone", "summit", "thistle"),
    *("timber", "valley", "violet", "willow", "winter"),
)

Text = Callable[[Random], str]


def words(random: Random, length_min: int = 0) -> str:
    """A word or two, or as many as ``length_min`` characters take."""
    text = random.choice(_WORDS)
    while len(text) < length_min or (not length_min and "-" not in text and random.random() < 0.5):
        text = f"{text}-{random.choice(_WORDS)}"
    return text


def _instant_ns(random: Random) -> int:
    return _LATEST_NS - random.randrange(30 * DAY // SECOND) * SECOND


def _date_time(random: Random) -> str:
    return format_instant(_instant_ns(random), digits=0)


def _host(random: Random) -> str:
    return f"{random.choice(_WORDS)}.example.com"


def _uri(random: Random) -> str:
    return f"https://{_host(random)}/{random.choice(_WORDS)}/{random.randint(1, 999)}"


def _email(random: Random) -> str:
    return f"{random.choice(_WORDS)}.{random.choice(_WORDS)}@example.com"


def _uuid(random: Random) -> str:
    return str(UUID(int=random.getrandbits(128), version=4))


def _base64(random: Random) -> str:
    return b64encode(words(random).encode()).decode()


def _ipv6(random: Random) -> str:
    # RFC 3849: addresses for documents.
    return "2001:db8::" + ":".join(f"{random.randint(1, 0xFFFF):x}" for _ in range(2))


def _path(random: Random) -> str:
    return f"/{random.choice(_WORDS)}/{random.randint(0, 9)}"


# JSON Schema 2020-12, Validation, section 7.3, and the format registry of OpenAPI.
FORMATS: dict[str, Text] = {
    "date-time": _date_time,
    "date": lambda random: _date_time(random)[:10],
    "time": lambda random: _date_time(random)[11:],
    "date-time-local": lambda random: _date_time(random)[:19],
    "time-local": lambda random: _date_time(random)[11:19],
    "http-date": lambda random: f"Thu, 01 Jan 2026 {_date_time(random)[11:19]} GMT",
    "duration": lambda random: f"PT{random.randint(1, 59)}M",
    "email": _email,
    "idn-email": _email,
    "hostname": _host,
    "idn-hostname": _host,
    # RFC 5737: addresses for documents.
    "ipv4": lambda random: f"192.0.2.{random.randint(1, 254)}",
    "ipv6": _ipv6,
    "uri": _uri,
    "url": _uri,
    "iri": _uri,
    "uri-reference": _uri,
    "iri-reference": _uri,
    "uri-template": lambda random: f"{_uri(random)}/{{id}}",
    "uuid": _uuid,
    "json-pointer": _path,
    "json-pointer-uri-fragment": lambda random: f"#{_path(random)}",
    "relative-json-pointer": lambda random: f"{random.randint(0, 3)}{_path(random)}",
    "regex": lambda random: f"^{random.choice(_WORDS)}-[0-9]+$",
    "base64": _base64,
    "byte": _base64,
    "base64url": lambda random: _base64(random).rstrip("="),
    "char": lambda random: random.choice(_WORDS)[0],
    "decimal": lambda random: f"{random.randint(1, 99_999) / 100:.2f}",
    "int32": lambda random: str(random.randint(1, 9999)),
    "int64": lambda random: str(random.randint(1, 9999)),
    "uint64": lambda random: str(random.randint(1, 9999)),
    "media-range": lambda _random: "application/json",
    "password": lambda random: f"{words(random, 12)}-{random.randint(10, 99)}",
    "snowflake": lambda random: str(random.randint(10**16, 10**18)),
}

# A name, its separators and case taken away, ends with the key; the first that fits counts.
_BY_NAME: tuple[tuple[str, Callable[[Any], str]], ...] = (
    (r"email|emailaddress", lambda fake: fake.email()),
    (r"first_?name|given_?name", lambda fake: fake.first_name()),
    (r"last_?name|family_?name|surname", lambda fake: fake.last_name()),
    (r"user_?name|login|nick_?name|handle", lambda fake: fake.user_name()),
    (r"(file|path)_?name|file", lambda fake: fake.file_name()),
    (r"host_?name|domain(_?name)?", lambda fake: fake.domain_name()),
    (r"company(_?name)?|organi[sz]ation(_?name)?|vendor|employer", lambda fake: fake.company()),
    (r"(full|display|real)_?name", lambda fake: fake.name()),
    (
        r"(created|updated|modified|approved|requested|started|assigned)_?by",
        lambda fake: fake.name(),
    ),
    (r"owner|author|assignee|reviewer|requester|customer|contact", lambda fake: fake.name()),
    (r"phone(_?number)?|mobile|fax", lambda fake: fake.phone_number()),
    (r"(url|href|uri|link|website|homepage)", lambda fake: fake.url()),
    (r"city|town", lambda fake: fake.city()),
    (r"country_?code", lambda fake: fake.country_code()),
    (r"country", lambda fake: fake.country()),
    (r"(postal|zip)(_?code)?", lambda fake: fake.postcode()),
    (r"street(_?address)?|line_?1", lambda fake: fake.street_address()),
    (r"address", lambda fake: fake.street_address()),
    (r"currency(_?code)?", lambda fake: fake.currency_code()),
    (r"locale|language", lambda fake: fake.locale()),
    (r"time_?zone", lambda fake: fake.timezone()),
    (r"colou?r", lambda fake: fake.hex_color()),
    (r"ip(_?address)?", lambda fake: fake.ipv4()),
    (r"mime_?type|content_?type|media_?type", lambda fake: fake.mime_type()),
    (r"user_?agent", lambda fake: fake.user_agent()),
    (r"job(_?title)?|role", lambda fake: fake.job()),
    (
        r"description|summary|comment|message|note|reason|text|body|bio|details?",
        lambda fake: fake.sentence(nb_words=8),
    ),
    (r"title|subject|headline", lambda fake: fake.catch_phrase()),
    (r"name", lambda fake: fake.name()),
    (r"slug", lambda fake: fake.slug()),
    (r"sha|commit|hash|digest|checksum", lambda fake: fake.sha1()),
    (r"(created|updated|modified|started|ended)(_?(at|on))?", lambda fake: _date_time(fake.random)),
    (r"date", lambda fake: _date_time(fake.random)[:10]),
)


@cache
def writer(name: str) -> Callable[[Any], str] | None:
    """What writes texts for a property of this name; None where the name says nothing."""
    for key, write in _BY_NAME:
        if re.search(rf"(?:^|_)(?:{key})$", _snake(name)):
            return write
    return None


def _snake(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9]+|(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
