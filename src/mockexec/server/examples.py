"""Requests that work: for every operation one, made of its document's own examples.

The command line prints them, the control API lists them. A value that no example gives is
generated from its schema; what is optional is left out.
"""

from __future__ import annotations

import shlex
from base64 import b64encode
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple
from urllib.parse import quote, quote_plus

import orjson

from mockexec.api import Api
from mockexec.mocking.encoding import as_text, is_json
from mockexec.mocking.generate import Generator, NoValue
from mockexec.server.nested_forms import spelled
from mockexec.server.styles import in_cookie, in_header, in_path, in_query
from mockexec.simulation.chance import Chance
from mockexec.simulation.world import Realm
from mockexec.spec.operations import (
    Body,
    MediaType,
    Operation,
    Parameter,
    SchemaRef,
    SecurityScheme,
)

_FORM, _MULTIPART = "application/x-www-form-urlencoded", "multipart/form-data"
_BOUNDARY = "example-boundary"


class Example(NamedTuple):
    """A request, ready to send. ``url`` begins with a slash until ``at`` says whose it is."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: str | None

    def at(self, base_url: str) -> Example:
        """The same request to the API at ``base_url``."""
        return self._replace(url=f"{base_url}{self.url}")

    def as_data(self) -> dict[str, Any]:
        """As the control API shows it."""
        return {**self._asdict(), "headers": dict(self.headers)}

    def curl(self) -> str:
        """The command line that sends it, for a POSIX shell."""
        words = ["curl", "-sS"]
        if self.method == "HEAD":
            words.append("-I")
        elif self.method != ("GET" if self.body is None else "POST"):
            words += ["-X", self.method]
        for name, value in self.headers.items():
            words += ["-H", f"{name}: {value}"]
        if self.body is not None:
            words += ["--data-raw", self.body]
        return shlex.join([*words, self.url])


class Examples:
    """The example requests of one API."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def request(self, operation: Operation, realm: Realm) -> Example | None:
        """A request that a fresh world answers with success; None where no value can be had.

        ``realm`` is asked for the development token.
        """
        chance = Chance(0)
        try:
            values = [
                (parameter, self._value(parameter.examples, parameter.schema, chance))
                for parameter in operation.parameters
                if parameter.required or parameter.location == "path"
            ]
            media = _media(operation.body)
            content = None if media is None else self._content(media, chance)
        except NoValue:
            return None
        path, query, headers = _placed(operation, values)
        token = self._api.dialect.development_token(realm)
        for scheme in self._schemes(operation):
            _authorize(scheme, token, query, headers)
        if media is not None:
            headers["Content-Type"] = _content_type(media)
        query_text = f"?{'&'.join(query)}" if query else ""
        return Example(operation.method, f"{path}{query_text}", headers, content)

    def simplest(self, realm: Realm) -> Example | None:
        """The request to show first: a reading one with as little to it as there is."""
        by_kind: dict[tuple[bool, bool], list[Operation]] = {}
        for operation in self._api.operations:
            by_kind.setdefault(_kind(operation), []).append(operation)
        # What is not shown is not made: a body that must be generated takes a while.
        for kind in sorted(by_kind):
            found = [
                example
                for operation in by_kind[kind]
                if (example := self.request(operation, realm)) is not None
            ]
            if found:
                return min(found, key=lambda example: len(example.url))
        return None

    def _value(self, examples: Mapping[str, Any], schema: SchemaRef | None, chance: Chance) -> Any:
        if examples:
            return next(iter(examples.values()))
        if schema is None:
            return "example"
        return Generator(self._api.schemas, schema).value(chance.random("examples"))

    def _content(self, media: MediaType, chance: Chance) -> str:
        value = self._value(media.examples, media.schema, chance)
        essence = media.name.partition(";")[0]
        if is_json(media.name):
            return orjson.dumps(value).decode()
        if essence == _MULTIPART and isinstance(value, dict):
            return _multipart(value)
        if essence == _FORM and isinstance(value, dict):
            return "&".join(_fields(value, media))
        return as_text(media.name, value).decode()

    def _schemes(self, operation: Operation) -> list[SecurityScheme]:
        """The first alternative of the operation's security; nothing where none is needed."""
        if not operation.security or {} in operation.security:
            return []
        schemes = self._api.security_schemes
        return [schemes[name] for name in operation.security[0] if name in schemes]


def _media(body: Body | None) -> MediaType | None:
    """The form to send a body in: JSON first, then forms; none for a body that may be left out."""
    if body is None or not body.content:
        return None
    if not body.required and not any(media.examples for media in body.content.values()):
        return None
    ranks = {_FORM: 1, _MULTIPART: 2}
    return min(
        body.content.values(),
        key=lambda media: 0 if is_json(media.name) else ranks.get(media.name, 3),
    )


def _content_type(media: MediaType) -> str:
    if media.name.startswith(_MULTIPART):
        return f"{_MULTIPART}; boundary={_BOUNDARY}"
    return "application/json" if "*" in media.name else media.name


def _fields(value: Mapping[str, Any], media: MediaType) -> Iterator[str]:
    """``name=value`` for the fields of a form, each as its encoding says."""
    for name, inner in value.items():
        encoding = media.encoding.get(name)
        items = inner if isinstance(inner, list) else [inner]
        if encoding is not None and encoding.style == "deepObject":
            for field, item in spelled(name, inner):
                yield f"{quote_plus(field)}={quote_plus(_as_field(item))}"
        elif encoding is not None and not encoding.explode:
            # What stands between the items is not encoded, so that none of theirs is taken for it.
            texts = [quote_plus(_as_field(item)) for item in items]
            yield f"{quote_plus(name)}={','.join(texts)}"
        else:
            for item in items:
                yield f"{quote_plus(name)}={quote_plus(_as_field(item))}"


def _as_field(value: Any) -> str:
    """A value as the text of a form field: JSON, unless it is a text."""
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def _multipart(fields: Mapping[str, Any]) -> str:
    parts = []
    for name, value in fields.items():
        head = f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n'
        # A list is a part for each item, all of one name.
        items = value if isinstance(value, list) else [value]
        parts += [f"{head}{_as_field(item)}\r\n" for item in items]
    return "".join(parts) + f"--{_BOUNDARY}--\r\n"


def _placed(
    operation: Operation, values: list[tuple[Parameter, Any]]
) -> tuple[str, list[str], dict[str, str]]:
    """(path, query parts, headers) with every value where its parameter wants it."""
    path = operation.path
    query: list[str] = []
    cookies: list[str] = []
    headers: dict[str, str] = {}
    for parameter, value in values:
        if parameter.location == "path":
            path = path.replace("{" + parameter.name + "}", in_path(parameter, value))
        elif parameter.location == "header":
            headers[parameter.name] = in_header(parameter, value)
        elif parameter.location == "cookie":
            cookies.append(in_cookie(parameter, value))
        else:
            query += in_query(parameter, value)
    if cookies:
        headers["Cookie"] = "; ".join(cookies)
    return path, query, headers


def _authorize(
    scheme: SecurityScheme, token: str, query: list[str], headers: dict[str, str]
) -> None:
    """Puts the development token where ``scheme`` looks for it."""
    if scheme.type == "apiKey":
        if scheme.location == "query":
            query.append(f"{quote(scheme.parameter, safe='')}={quote(token, safe='')}")
        elif scheme.location == "cookie":
            known = f"{headers['Cookie']}; " if "Cookie" in headers else ""
            headers["Cookie"] = f"{known}{scheme.parameter}={token}"
        else:
            headers[scheme.parameter] = token
    elif scheme.type == "http" and scheme.scheme == "basic":
        pair = token if ":" in token else f"{token}:{token}"
        headers["Authorization"] = f"Basic {b64encode(pair.encode()).decode()}"
    elif scheme.type in {"http", "oauth2", "openIdConnect"}:
        headers["Authorization"] = f"Bearer {token}"


def _kind(operation: Operation) -> tuple[bool, bool]:
    """The simplest first: reading before writing, with credentials.

    An operation that asks for no credentials is seldom what an API is about.
    """
    return operation.method != "GET", not operation.security
