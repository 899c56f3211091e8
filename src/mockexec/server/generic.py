"""The dialect of a document that a user brings: problem details, and credentials of any kind."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl

from mockexec.api import Api, Dialect, make_api
from mockexec.http.auth import Principal, authorization, basic_credentials
from mockexec.http.call import Call, Reply, Verifier
from mockexec.http.refusal import Refusal
from mockexec.mocking.encoding import concrete, is_json
from mockexec.mocking.generate import Generator, NoValue
from mockexec.server.parameters import read_cookies
from mockexec.simulation.chance import Chance
from mockexec.simulation.world import Model, Realm
from mockexec.spec.load import Document
from mockexec.spec.operations import (
    MediaType,
    Operation,
    SecurityScheme,
    security_schemes,
)
from mockexec.spec.schemas import Schemas

PROBLEM = "application/problem+json"
# RFC 6750, section 2.1, b64token.
_BEARER = re.compile(r"[A-Za-z0-9._~+/-]+=*")
# Where the words of an error most likely go.
_TEXT_FIELDS = ("message", "detail", "error_description", "description", "error", "title")
_SHORT_FIELDS = ("error", "title")
_INNER_FIELDS = ("error", "errors", "fault")
_STATUS_FIELDS = ("status", "code", "statusCode", "status_code")
_OWN_FIELDS = ("type", "instance", "violations")
# Wherever something of a problem may go.
_PLACES = frozenset((*_TEXT_FIELDS, *_INNER_FIELDS, *_STATUS_FIELDS, *_OWN_FIELDS))


def generic_api(document: Document, name: str) -> Api:
    """``document`` served under ``name``: answers from the document, and refuses as it says.

    Raises:
        DocumentError: the document cannot be used.
    """
    token = f"{name}-dev-token"
    schemes = security_schemes(document)
    renderer = _Renderer(schemes)
    dialect = Dialect(
        name=name,
        model=Model(name, indexes=(), populate=_populate),
        handlers={},
        render=renderer.render,
        verifiers={key: _verifier(scheme, token) for key, scheme in schemes.items()},
        development_token=lambda _realm: token,
        documents_refusals=False,
    )
    api = make_api(document, dialect)
    renderer.learn(api)
    return api


def _populate(realm: Realm) -> None:
    """Nothing: a document alone has no executions."""
    del realm


# Security


def _verifier(scheme: SecurityScheme, token: str) -> Verifier:
    """Takes the development token; unless the mock is strict, any other well-formed one as well."""

    def verify(call: Call, scopes: tuple[str, ...]) -> Principal | None:
        if scheme.type == "mutualTLS":
            # The connection's matter; there is nothing in a request to look at.
            return Principal("client", frozenset(scopes))
        credential = _credential(scheme, call)
        if credential is None:
            return None
        if call.settings.strict and credential != token:
            raise Refusal("unauthenticated", f"the credential for {scheme.name} is not known")
        return Principal(scheme.name, frozenset(scopes), credential)

    return verify


def _credential(scheme: SecurityScheme, call: Call) -> str | None:
    """The credential a request brings for ``scheme``; None for none.

    Raises:
        Refusal: it is not well-formed.
    """
    if scheme.type == "apiKey":
        return _api_key(scheme, call)
    header = call.raw_header(b"authorization")
    kind, text = authorization(header)
    wanted = scheme.scheme if scheme.type == "http" else "bearer"
    if not header or kind != wanted:
        return None
    if wanted == "basic":
        pair = basic_credentials(text)
        if pair is None:
            raise Refusal(
                "unauthenticated", "the Basic credentials are not base64 of user:password"
            )
        user, password = pair
        # The development token may stand in either place.
        return password or user
    if not text or (wanted == "bearer" and not _BEARER.fullmatch(text)):
        raise Refusal("unauthenticated", f"the {wanted} credentials are malformed")
    return text


def _api_key(scheme: SecurityScheme, call: Call) -> str | None:
    if scheme.location == "header":
        found = call.raw_header(scheme.parameter.lower().encode("latin-1", "replace"))
        # Documents of 2.0 have no other way to say bearer than a key called Authorization.
        found = re.sub("^bearer ", "", found or "", flags=re.IGNORECASE)
    elif scheme.location == "query":
        found = dict(parse_qsl(call.raw_query, encoding="latin-1")).get(scheme.parameter)
    else:
        values = read_cookies(call.raw_header(b"cookie") or "").get(scheme.parameter)
        found = values[0] if values else None
    return found or None


# Refusals


class _Renderer:
    """Refusals as the document describes them, else as problem details (RFC 9457)."""

    def __init__(self, schemes: Mapping[str, SecurityScheme]) -> None:
        self._challenge = ", ".join(dict.fromkeys(_challenges(schemes)))
        # (operationId, status) → how the document describes it, if it does
        self._errors: dict[tuple[str, int], _DocumentedError | None] = {}

    def learn(self, api: Api) -> None:
        """Takes the operations and the compiled schemas of the API that it renders for."""
        self._schemas = api.schemas
        self._operations = {operation.id: operation for operation in api.operations}

    def render(self, refusal: Refusal, call: Call) -> Reply:
        """The reply that says no."""
        headers = refusal.headers
        if refusal.status == 401 and self._challenge:
            headers = (*headers, ("www-authenticate", self._challenge))
        problem = _problem(refusal, call)
        error = self._documented(call.operation_id, refusal.status)
        body = error.body(problem) if error is not None else None
        if error is None or body is None:
            return Reply(refusal.status, problem, headers, PROBLEM)
        return Reply(refusal.status, body, headers, error.media_type)

    def _documented(self, operation_id: str, status: int) -> _DocumentedError | None:
        operation = self._operations.get(operation_id)
        if operation is None:
            return None
        key = (operation_id, status)
        if key not in self._errors:
            media = _documented(operation, status)
            self._errors[key] = (
                _DocumentedError(self._schemas, media, f"{operation_id}/{status}")
                if media is not None
                else None
            )
        return self._errors[key]


class _DocumentedError:
    """One error of an operation, as its document describes it. What does not depend on a request
    is made once.
    """

    def __init__(self, schemas: Schemas, media: MediaType, purpose: str) -> None:
        self.media_type = concrete(media.name)
        self._purpose = purpose
        self._schemas = schemas
        self._schema = media.schema
        self._is_valid = (
            schemas.validator(media.schema, "response").is_valid if media.schema else None
        )
        self._examples = [body for body in media.examples.values() if self._is_base(body)]

    def body(self, problem: dict[str, Any]) -> Any:
        """A body as documented, with what the problem says; None where none fits.

        The first that has a place for the message; without one the document's own words.
        """
        if self._is_valid is None:
            return problem
        silent = None
        for base in self._bases():
            if _PLACES.isdisjoint(base):
                silent = silent or base
                continue
            told = _told(base, problem, self._is_valid)
            if _tells(told, problem["detail"]):
                return told
            silent = silent or told
        return problem if self._is_valid(problem) else silent

    def _is_base(self, body: Any) -> bool:
        return isinstance(body, dict) and self._is_valid is not None and self._is_valid(body)

    def _bases(self) -> Iterator[dict[str, Any]]:
        yield from self._examples
        # Asked for only where no example can tell the message.
        if self._generated is not None:
            yield self._generated

    @cached_property
    def _generated(self) -> dict[str, Any] | None:
        """The same error always reads the same, whatever the seed."""
        assert self._schema is not None  # noqa: S101  # without one nothing is asked
        try:
            generator = Generator(self._schemas, self._schema)
            body = generator.value(Chance().random(self._purpose))
        except NoValue:
            return None
        return body if self._is_base(body) else None


_HTTP_CHALLENGES = {"basic": 'Basic realm="mock"', "bearer": "Bearer"}


def _challenges(schemes: Mapping[str, SecurityScheme]) -> list[str]:
    """RFC 9110, section 11.6.1; there is no registered challenge for a key or a cookie."""
    found = []
    for scheme in schemes.values():
        if scheme.type == "http":
            found.append(_HTTP_CHALLENGES.get(scheme.scheme, scheme.scheme.title()))
        elif scheme.type in ("oauth2", "openIdConnect"):
            found.append("Bearer")
        elif scheme.type == "apiKey":
            found.append(f'ApiKey name="{scheme.parameter}"')
    return found


def _problem(refusal: Refusal, call: Call) -> dict[str, Any]:
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": refusal.reason.replace("_", " "),
        "status": refusal.status,
        "detail": refusal.message,
        "instance": call.raw_path,
    }
    if refusal.violations:
        body["violations"] = [
            {
                "in": violation.location,
                "name": violation.name,
                "pointer": violation.pointer,
                "message": violation.message,
            }
            for violation in refusal.violations
        ]
    return body


def _documented(operation: Operation, status: int) -> MediaType | None:
    """The JSON form that the operation documents for an error status."""
    for key in (str(status), f"{status // 100}XX", "default"):
        if key in operation.responses:
            content = operation.responses[key].content
            return next((media for name, media in content.items() if is_json(name)), None)
    return None


def _told(body: Any, problem: dict[str, Any], is_valid: Callable[[Any], bool]) -> Any:
    """``body`` with what the problem says put where there is a place for it and it fits."""
    for key in _INNER_FIELDS:
        if isinstance(body.get(key), dict | list):
            body = body | {key: _told_inside(body, key, problem, is_valid)}
    texts = [key for key in _TEXT_FIELDS if key in body]
    for key, value in (
        *((key, problem["title"]) for key in texts if key in _SHORT_FIELDS),
        *((key, problem["detail"]) for key in texts[:1]),
        *((key, problem["status"]) for key in _STATUS_FIELDS),
        *((key, problem[key]) for key in _OWN_FIELDS if key in problem),
    ):
        if key in body and is_valid(changed := body | {key: value}):
            body = changed
    return body


def _tells(body: Any, text: str) -> bool:
    """Whether the text stands somewhere in the body."""
    if isinstance(body, dict):
        return any(_tells(part, text) for part in body.values())
    if isinstance(body, list):
        return any(_tells(part, text) for part in body)
    return bool(body == text)


def _told_inside(
    body: dict[str, Any], key: str, problem: dict[str, Any], is_valid: Callable[[Any], bool]
) -> Any:
    """The error object below ``key``, or the first of a list of them, told in the same way."""
    inner = body[key]
    if isinstance(inner, dict):
        return _told(inner, problem, lambda part: is_valid(body | {key: part}))
    if not inner or not isinstance(inner[0], dict):
        return inner
    return [_told(inner[0], problem, lambda part: is_valid(body | {key: [part]}))]
