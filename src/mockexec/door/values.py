"""What the door hands out, as values: read from the control API's JSON, never changed."""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from typing import Any, overload

import httpx

from mockexec.errors import Violation


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to an execution: ``name`` is a state, or a word of its API's."""

    at: datetime
    name: str


@dataclass(frozen=True, slots=True)
class Execution:
    """An execution of any API. ``state`` is one of the states that all of them share.

    ``group`` is the workflow, resource, project, frontdoor or user whose list it is in; ``due``
    when it moves on by itself. ``history``, ``next`` (where it can be moved) and ``data`` (what
    only its API understands) are empty in a list: ``get`` has them.
    """

    id: str
    api: str
    group: str
    owner: str
    state: str
    created: datetime
    changed: datetime
    started: datetime | None
    finished: datetime | None
    due: datetime | None
    history: tuple[Event, ...]
    next: tuple[str, ...]
    data: Mapping[str, Any]

    @classmethod
    def read(cls, view: Mapping[str, Any]) -> Execution:
        """From the control API's JSON."""
        return cls(
            **{name: view[name] for name in ("id", "api", "group", "owner", "state")},
            created=instant(view["created"]),
            changed=instant(view["changed"]),
            started=_instant_or_none(view["started"]),
            finished=_instant_or_none(view["finished"]),
            due=_instant_or_none(view["due"]),
            history=tuple(
                Event(instant(event["at"]), event["name"]) for event in view.get("history", ())
            ),
            next=tuple(view.get("next", ())),
            data=view.get("data", {}),
        )


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault in force. ``body`` is all that it was armed with; ``calls`` counts the requests it
    applied to, ``hits`` those it struck.
    """

    id: str
    kind: str
    body: Mapping[str, Any]
    calls: int
    hits: int

    @classmethod
    def read(cls, view: Mapping[str, Any]) -> Fault:
        """From the control API's JSON."""
        own = {"id", "calls", "hits"}
        body = {name: value for name, value in view.items() if name not in own}
        return cls(view["id"], view["kind"], body, view["calls"], view["hits"])


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A world put aside; ``restore`` goes back to it."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Request:
    """A request that the mock got, and how it was answered.

    ``operation`` is empty where none was reached (unknown path or method). ``path`` is below the
    API's base. ``fault`` is the id of the fault that struck it, else empty. ``notes`` say what was
    let through though no document knows it; those located in ``response`` are ``breaches``: our
    own answer broke the document. Secrets (credentials, cookies, tokens in forms) are masked as
    ``***``.
    """

    id: int
    at: datetime
    took: timedelta
    api: str
    operation: str
    method: str
    path: str
    query: str
    headers: httpx.Headers
    body: bytes
    status: int
    response_headers: httpx.Headers
    response_body: bytes
    fault: str
    notes: tuple[Violation, ...]

    @classmethod
    def read(cls, view: Mapping[str, Any], entry: Mapping[str, Any]) -> Request:
        """From the journal's JSON, and the same exchange's entry in its HAR file."""
        asked, answered = entry["request"], entry["response"]
        return cls(
            id=view["id"],
            at=instant(view["at"]),
            took=timedelta(milliseconds=view["took_ms"]),
            api=view["api"],
            operation=view["operation_id"],
            method=view["method"],
            path=view["path"],
            query=view["query"],
            headers=_headers(asked),
            body=asked.get("postData", {}).get("text", "").encode(),
            status=view["status"],
            response_headers=_headers(answered),
            response_body=_content(answered["content"]),
            fault=view["fault"],
            notes=notes_of(view),
        )

    @property
    def is_unmatched(self) -> bool:
        """Whether it was refused because no operation has this path and method."""
        # A browser's preflight reaches no operation either, and is answered.
        return not self.operation and self.status >= 400

    @property
    def breaches(self) -> tuple[Violation, ...]:
        """What of our own answer broke the document."""
        return breaches_of(self.notes)

    def json(self) -> Any:
        """The body that was sent, as data; raises ValueError where it is no JSON."""
        return json.loads(self.body)

    def response_json(self) -> Any:
        """The body that was answered, as data; raises ValueError where it is no JSON."""
        return json.loads(self.response_body)

    def __str__(self) -> str:
        target = f"{self.path}?{self.query}" if self.query else self.path
        name = self.operation or "no operation"
        struck = f", struck by {self.fault}" if self.fault else ""
        return f"{self.method} /{self.api}{target} -> {self.status} ({name}{struck})"


class Requests(Sequence[Request]):
    """Requests as they stood when they were asked for, the earliest first."""

    def __init__(self, requests: Sequence[Request]) -> None:
        self._requests = tuple(requests)

    def where(
        self,
        *,
        api: str | None = None,
        operation: str | None = None,
        method: str | None = None,
        path: str | None = None,
        status: int | None = None,
    ) -> Requests:
        """Those that fit all of it; ``path`` is a pattern in which * stands for anything."""
        return Requests(
            [
                one
                for one in self._requests
                if (api is None or one.api == api)
                and (operation is None or one.operation == operation)
                and (method is None or one.method == method.upper())
                and (path is None or fnmatchcase(one.path, path))
                and (status is None or one.status == status)
            ]
        )

    @overload
    def __getitem__(self, index: int) -> Request: ...
    @overload
    def __getitem__(self, index: slice) -> Requests: ...
    def __getitem__(self, index: int | slice) -> Request | Requests:
        if isinstance(index, slice):
            return Requests(self._requests[index])
        return self._requests[index]

    def __len__(self) -> int:
        return len(self._requests)

    def __iter__(self) -> Iterator[Request]:
        return iter(self._requests)

    def __repr__(self) -> str:
        return f"<Requests: {', '.join(str(one) for one in self._requests) or 'none'}>"


def instant(text: str) -> datetime:
    """The instant as Python has it: to the microsecond, what is finer is cut off."""
    return datetime.fromisoformat(text)


def _instant_or_none(text: str | None) -> datetime | None:
    return None if text is None else instant(text)


def notes_of(view: Mapping[str, Any]) -> tuple[Violation, ...]:
    """What a journal entry notes."""
    return tuple(
        Violation(note["in"], note["name"], note["pointer"], note["message"])
        for note in view["notes"]
    )


def breaches_of(notes: tuple[Violation, ...]) -> tuple[Violation, ...]:
    """Those of the notes that tell where our own answer broke the document."""
    return tuple(note for note in notes if note.location == "response")


def _headers(side: Mapping[str, Any]) -> httpx.Headers:
    return httpx.Headers([(header["name"], header["value"]) for header in side["headers"]])


def _content(content: Mapping[str, Any]) -> bytes:
    text: str = content.get("text", "")
    return b64decode(text) if content.get("encoding") == "base64" else text.encode()
