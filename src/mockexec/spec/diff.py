"""What changed from one document to another, and whom it breaks.

A change breaks clients when a client made for the old document may fail against a server made for
the new one: a request may be refused or lose its meaning, or an answer be none that the old
document describes. It breaks servers the other way round, when a client made for the new document
may fail against a server made for the old one. So a request that narrows breaks clients, one that
widens breaks servers; of answers the opposite is true. Exchange the documents, and clients and
servers are exchanged too.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from mockexec.spec import operations as model
from mockexec.spec.dialect import Direction
from mockexec.spec.diff_keywords import Fact
from mockexec.spec.diff_schemas import Key, SchemaDiff
from mockexec.spec.diff_security import Schemes, suffices
from mockexec.spec.load import Document
from mockexec.spec.operations import Body, MediaType, Operation, Parameter, Response, SchemaRef
from mockexec.spec.pointers import join
from mockexec.spec.schemas import Schemas

Party = Literal["clients", "servers"]

# Which party the change of a message breaks, by direction: when it narrows, when it widens.
_BROKEN: dict[Direction, tuple[Party, Party]] = {
    "request": ("clients", "servers"),
    "response": ("servers", "clients"),
}


@dataclass(frozen=True, slots=True)
class Change:
    """One difference between two documents.

    ``breaks`` is empty for a compatible change. ``operations`` are the operations it concerns, as
    ``GET /pets`` in the new document's words, empty where it concerns all; ``where`` is the part of
    them, such as ``response 200, items[].name``. ``old`` and ``new`` are ``file:line``, of the
    nearest thing around it where one document has nothing to show.
    """

    rule: str
    breaks: tuple[Party, ...]
    operations: tuple[str, ...]
    where: str
    message: str
    old: str
    new: str


class _Place(NamedTuple):
    uri: str
    pointer: str


class _At(NamedTuple):
    """What is being compared: the operation, the part of it, and where both stand."""

    operation: str
    where: str
    old: _Place
    new: _Place


def diff(old: Document, new: Document) -> list[Change]:
    """All changes: first those that break clients, then servers, then nobody; as written in each.

    Raises DocumentError where one of the documents is malformed.
    """
    return _Diff(old, new).changes()


class _Diff:
    def __init__(self, old: Document, new: Document) -> None:
        self.old, self.new = old, new
        self._schemes = Schemes(old), Schemes(new)
        self._shapes = Schemas(old), Schemas(new)
        self._schemas: dict[Direction, SchemaDiff] = {
            "request": SchemaDiff(*self._shapes, "request"),
            "response": SchemaDiff(*self._shapes, "response"),
        }
        # The schemas of operations, with the place of each, in document order.
        self._roots: dict[Direction, list[tuple[_At, Key]]] = {"request": [], "response": []}
        self._found: dict[tuple[Any, ...], list[str]] = {}

    def changes(self) -> list[Change]:
        self._servers()
        self._operations()
        for direction in self._roots:
            self._schema_facts(direction)
        made = [(self._change(key, tuple(names)), key) for key, names in self._found.items()]
        made.sort(key=lambda item: (_rank(item[0]), *self._order(item[1])))
        return [change for change, _ in made]

    def _change(self, key: tuple[Any, ...], names: tuple[str, ...]) -> Change:
        rule, breaks, where, message, old, new = key
        located = self.old.location(*old), self.new.location(*new)
        operations = tuple(dict.fromkeys(name for name in names if name))
        return Change(rule, breaks, operations, where, message, *located)

    def _order(self, key: tuple[Any, ...]) -> tuple[Any, ...]:
        return (*self.new.order(*key[5]), *self.old.order(*key[4]))

    def _add(
        self,
        at: _At,
        rule: str,
        message: str,
        direction: Direction = "request",
        *,
        narrows: bool = False,
        widens: bool = False,
    ) -> None:
        """Notes a change; the same change of several operations is one."""
        broken = [
            party
            for party, breaks in zip(_BROKEN[direction], (narrows, widens), strict=True)
            if breaks
        ]
        key = (rule, tuple(sorted(broken)), at.where, message, at.old, at.new)
        self._found.setdefault(key, []).append(at.operation)

    # The document

    def _servers(self) -> None:
        paths = model.server_paths(self.old), model.server_paths(self.new)
        key = "/basePath" if self.new.version == "2.0" else "/servers"
        at = _At("", "servers", _root(self.old, "/servers"), _root(self.new, key))
        for path in paths[0]:
            if path not in paths[1]:
                self._add(at, "server", f"the base path {path or '/'} is gone", narrows=True)
        for path in paths[1]:
            if path not in paths[0]:
                self._add(at, "server", f"the base path {path or '/'} is new", widens=True)

    def _operations(self) -> None:
        old = _by_route(model.operations(self.old))
        new = _by_route(model.operations(self.new))
        for route, item in old.items():
            if route not in new:
                at = _At(_name(item), "", _place(item), _root(self.new, "/paths"))
                self._add(at, "operation", "gone", narrows=True)
        for route, item in new.items():
            if route not in old:
                at = _At(_name(item), "", _root(self.old, "/paths"), _place(item))
                self._add(at, "operation", "new", widens=True)
            else:
                at = _At(_name(item), "", _place(old[route]), _place(item))
                self._operation(at, old[route], item)

    def _operation(self, at: _At, old: Operation, new: Operation) -> None:
        written = self.old.at(*at.old), self.new.at(*at.new)
        ids = [node.get("operationId") for node in written]
        if ids[0] != ids[1]:
            message = f"its operationId is {ids[1] or 'gone'} now, was {ids[0] or 'missing'}"
            self._add(_below(at, "", "operationId"), "operation-id", message)
        if old.deprecated != new.deprecated:
            message = "deprecated now" if new.deprecated else "not deprecated any more"
            self._add(_below(at, "", "deprecated"), "deprecated", message)
        self._security(at, old, new)
        self._parameters(at, old, new)
        self._body(at, old.body, new.body)
        self._responses(at, old.responses, new.responses)

    # Security

    def _security(self, at: _At, old: Operation, new: Operation) -> None:
        at = at._replace(
            where="security", old=_security(self.old, old), new=_security(self.new, new)
        )
        before = [*self._schemes[0].ways(old.security)]
        now = [*self._schemes[1].ways(new.security)]
        for words, held in before:
            if not any(suffices(held, wanted) for _, wanted in now):
                self._add(at, "security", f"{words} does not suffice any more", narrows=True)
        for words, held in now:
            if not any(suffices(held, wanted) for _, wanted in before):
                self._add(at, "security", f"{words} suffices now", widens=True)

    # Parameters

    def _parameters(self, at: _At, old: Operation, new: Operation) -> None:
        # Where a parameter stands in the path is what counts, not its name.
        renamed = dict(zip(_template(new.path), _template(old.path), strict=True))
        olds = {_key(item, {}): item for item in old.parameters}
        news = {_key(item, renamed): item for item in new.parameters}
        for key, item in olds.items():
            if key not in news:
                place = _At(at.operation, _named(item), _Place(item.uri, item.pointer), at.new)
                word = "gone (it was required)" if item.required else "gone"
                self._add(place, "parameter", word, narrows=True, widens=item.required)
        for key, item in news.items():
            here = _Place(item.uri, item.pointer)
            if key in olds:
                there = _Place(olds[key].uri, olds[key].pointer)
                self._parameter(_At(at.operation, _named(item), there, here), olds[key], item)
            else:
                place = _At(at.operation, _named(item), at.old, here)
                word = "new, and required" if item.required else "new"
                self._add(place, "parameter", word, narrows=item.required, widens=True)

    def _parameter(self, at: _At, old: Parameter, new: Parameter) -> None:
        if old.name != new.name and old.location == "path":
            self._add(at, "parameter-name", f"its name was {old.name}")
        self._required(_below(at, "", "required"), old.required, new.required)
        if old.media_type != new.media_type:
            words = (
                f"written as {new.media_type or new.style} now, was {old.media_type or old.style}"
            )
            self._add(at, "media-type", words, narrows=True, widens=True)
        else:
            self._style(at, old, new)
        for flag in ("allow_reserved", "allow_empty_value"):
            before, now = getattr(old, flag), getattr(new, flag)
            if before != now:
                what = "reserved characters are" if flag == "allow_reserved" else "no value is"
                word = "admitted now" if now else "not admitted any more"
                self._add(at, "style", f"{what} {word}", narrows=before, widens=now)
        self._schema(at, "request", old.schema, new.schema)

    def _style(self, at: _At, old: Parameter, new: Parameter) -> None:
        before, now = _style(old), _style(new)
        plain = old.style in _PLAIN and new.style in _PLAIN
        if before != now and not (plain and self._is_scalar(old, new)):
            self._add(at, "style", f"written as {now} now, was {before}", narrows=True, widens=True)

    def _is_scalar(self, old: Parameter, new: Parameter) -> bool:
        """Whether the values are such that hardly any style makes a difference."""
        for schemas, item in zip(self._shapes, (old, new), strict=True):
            types = schemas.shape(item.schema).types if item.schema else frozenset(("string",))
            if not types or types & {"array", "object"}:
                return False
        return True

    def _required(self, at: _At, before: bool, now: bool) -> None:
        if before != now:
            message = "required now" if now else "not required any more"
            self._add(at, "required", message, narrows=now, widens=before)

    # Bodies

    def _body(self, at: _At, old: Body | None, new: Body | None) -> None:
        here = _Place(new.uri, new.pointer) if new else at.new
        there = _Place(old.uri, old.pointer) if old else at.old
        at = _At(at.operation, "request body", there, here)
        if old and new:
            self._required(_below(at, "", "required"), old.required, new.required)
            self._content(at, "request", old.content, new.content)
        elif old:
            word = "gone (it was required)" if old.required else "gone"
            self._add(at, "body", word, narrows=True, widens=old.required)
        elif new:
            word = "new, and required" if new.required else "new"
            self._add(at, "body", word, narrows=new.required, widens=True)

    def _content(
        self,
        at: _At,
        direction: Direction,
        old: Mapping[str, MediaType],
        new: Mapping[str, MediaType],
    ) -> None:
        """The media types of a message.

        The client chooses among them, for answers by ``Accept``, so one more does it no harm in
        either direction.
        """
        for name, media in old.items():
            partner = _media(name, new)
            if partner is None:
                self._add(
                    _below(at, "", "content", old=name),
                    "media-type",
                    f"{name} is gone",
                    narrows=True,
                )
            else:
                self._media(_below(at, "", "content"), direction, media, partner)
        for name, media in new.items():
            partner = _media(name, old)
            if partner is None:
                self._add(
                    _below(at, "", "content", new=name), "media-type", f"{name} is new", widens=True
                )
            elif name not in old:
                self._media(_below(at, "", "content"), direction, partner, media)

    def _media(self, at: _At, direction: Direction, old: MediaType, new: MediaType) -> None:
        at = at._replace(
            old=_Place(at.old.uri, join(at.old.pointer, old.name)),
            new=_Place(at.new.uri, join(at.new.pointer, new.name)),
        )
        self._schema(at, direction, old.schema, new.schema)
        self._schema(at, direction, old.item_schema, new.item_schema)
        for name in old.encoding.keys() & new.encoding.keys():
            if old.encoding[name] != new.encoding[name]:
                place = _below(at, name, "encoding")
                self._add(
                    place, "encoding", "encoded in another way now", narrows=True, widens=True
                )

    # Responses

    def _responses(self, at: _At, old: Mapping[str, Response], new: Mapping[str, Response]) -> None:
        for status in dict.fromkeys((*old, *new)):
            before, now = _response(status, old), _response(status, new)
            there = _Place(before.uri, before.pointer) if before else at.old
            here = _Place(now.uri, now.pointer) if now else at.new
            place = _At(at.operation, f"response {status}", there, here)
            if before and now:
                self._response(place, before, now)
            else:
                # A client must cope with a failure of any kind (RFC 9110, 15), documented or not.
                counts = status[0] in "123"
                word = "new" if now else "gone"
                narrows, widens = bool(before) and counts, bool(now) and counts
                self._add(place, "response", word, "response", narrows=narrows, widens=widens)

    def _response(self, at: _At, old: Response, new: Response) -> None:
        if old.content and new.content:
            self._content(at, "response", old.content, new.content)
        elif old.content:
            self._add(_below(at, "", "content"), "body", "its body is gone", narrows=True)
        elif new.content:
            self._add(_below(at, "", "content"), "body", "it has a body now", widens=True)
        self._headers(at, old, new)

    def _headers(self, at: _At, old: Response, new: Response) -> None:
        olds = {name.lower(): item for name, item in old.headers.items()}
        news = {name.lower(): item for name, item in new.headers.items()}
        for key in dict.fromkeys((*olds, *news)):
            before, now = olds.get(key), news.get(key)
            place = at._replace(where=f"{at.where}, header {(now or olds[key]).name}")
            if before:
                there = join(at.old.pointer, "headers", before.name)
                place = place._replace(old=_Place(at.old.uri, there))
            if now:
                here = join(at.new.pointer, "headers", now.name)
                place = place._replace(new=_Place(at.new.uri, here))
            narrows, widens = bool(now and now.required), bool(before and before.required)
            if before and now:
                if narrows != widens:
                    message = "required now" if narrows else "not required any more"
                    self._add(
                        place, "required", message, "response", narrows=narrows, widens=widens
                    )
                self._schema(place, "response", before.schema, now.schema)
            else:
                word = "new" if now else "gone (it was required)" if widens else "gone"
                self._add(place, "header", word, "response", narrows=narrows, widens=widens)

    # Schemas

    def _schema(
        self, at: _At, direction: Direction, old: SchemaRef | None, new: SchemaRef | None
    ) -> None:
        self._roots[direction].append((at, self._schemas[direction].add(old, new)))

    def _schema_facts(self, direction: Direction) -> None:
        """Notes what was found at schemas, for every operation that leads to them."""
        compared = self._schemas[direction]
        above = _above(compared)
        for key, pair in compared.pairs.items():
            if not pair.facts:
                continue
            distances = _distances(key, above)
            roots = [(at, root) for at, root in self._roots[direction] if root in distances]
            where, first = roots[0]
            steps = _steps(compared, first, key, distances)
            for fact in pair.facts:
                place = self._fact_place(where, compared, fact)
                path = _path(steps + fact.step)
                place = place._replace(where=f"{where.where}, {path}" if path else where.where)
                for at, _ in roots:
                    self._add(
                        place._replace(operation=at.operation),
                        fact.rule,
                        fact.message,
                        direction,
                        narrows=fact.narrows,
                        widens=fact.widens,
                    )

    def _fact_place(self, at: _At, compared: SchemaDiff, fact: Fact) -> _At:
        old, new = at.old, at.new
        if fact.old is not None:
            old = _Place(*compared.old.place(fact.old))
        if fact.new is not None:
            new = _Place(*compared.new.place(fact.new))
        return at._replace(old=old, new=new)


# The way to a pair


def _above(compared: SchemaDiff) -> dict[Key, list[Key]]:
    found: dict[Key, list[Key]] = {}
    for key, pair in compared.pairs.items():
        for _, below in pair.below:
            found.setdefault(below, []).append(key)
    return found


def _distances(key: Key, above: dict[Key, list[Key]]) -> dict[Key, int]:
    """How many steps every pair that leads to ``key`` is away from it."""
    found = {key: 0}
    queue = deque([key])
    while queue:
        here = queue.popleft()
        for pair in above.get(here, ()):
            if pair not in found:
                found[pair] = found[here] + 1
                queue.append(pair)
    return found


def _steps(compared: SchemaDiff, here: Key, key: Key, distances: dict[Key, int]) -> str:
    """The shortest way from one pair to another below it."""
    steps = ""
    while here != key:
        nearer = ((step, k) for step, k in compared.pairs[here].below if k in distances)
        step, here = min(nearer, key=lambda item: distances[item[1]])
        steps += step
    return steps


def _path(steps: str) -> str:
    return steps.removeprefix(".")


# Operations and places


def _rank(change: Change) -> int:
    return 0 if "clients" in change.breaks else 1 if change.breaks else 2


def _root(document: Document, pointer: str) -> _Place:
    return _Place(document.uri, pointer)


def _name(operation: Operation) -> str:
    return f"{operation.method} {operation.path}"


def _place(operation: Operation) -> _Place:
    return _Place(operation.uri, operation.pointer)


def _security(document: Document, operation: Operation) -> _Place:
    """Where the requirements of an operation stand: with it, or at the top for all."""
    own = "security" in document.at(operation.uri, operation.pointer)
    place = _place(operation) if own else _root(document, "")
    return _Place(place.uri, join(place.pointer, "security"))


def _below(at: _At, where: str, key: str, *, old: str = "", new: str = "") -> _At:
    """The same a key further down, in words and in the documents."""
    words = ", ".join(word for word in (at.where, where) if word)
    olds = (key, old or where) if old or where else (key,)
    news = (key, new or where) if new or where else (key,)
    return _At(
        at.operation,
        words,
        _Place(at.old.uri, join(at.old.pointer, *olds)),
        _Place(at.new.uri, join(at.new.pointer, *news)),
    )


_TEMPLATE = re.compile(r"\{([^{}]*)\}")


def _template(path: str) -> list[str]:
    return _TEMPLATE.findall(path)


def _by_route(operations: Iterable[Operation]) -> dict[tuple[str, str], Operation]:
    """Operations by what a request shows: the names in a path template are not seen by anybody."""
    found: dict[tuple[str, str], Operation] = {}
    for item in operations:
        found.setdefault((item.method, _TEMPLATE.sub("{}", item.path)), item)
    return found


def _response(status: str, responses: Mapping[str, Response]) -> Response | None:
    """The response for a status; ``default`` is taken to be meant for failures."""
    found = responses.get(status) or responses.get(f"{status[0]}XX")
    return responses.get("default") if found is None and status[0] not in "123" else found


def _media(name: str, content: Mapping[str, MediaType]) -> MediaType | None:
    """The entry for a media type, by itself, without its parameters, or as a range."""
    essence = name.partition(";")[0].strip()
    for wanted in (name, essence, f"{essence.partition('/')[0]}/*", "*/*"):
        if wanted in content:
            return content[wanted]
    return next((m for other, m in content.items() if other.partition(";")[0] == essence), None)


# Parameters


def _key(parameter: Parameter, renamed: Mapping[str, str]) -> tuple[str, str]:
    """What tells a parameter from the others; names of headers are equal in any case."""
    name = parameter.name
    if parameter.location == "path":
        name = renamed.get(name, name)
    return parameter.location, name.lower() if parameter.location == "header" else name


def _named(parameter: Parameter) -> str:
    return f"{parameter.location} parameter {parameter.name}"


# In these styles a single value is written as it is.
_PLAIN = frozenset(("form", "pipeDelimited", "simple", "spaceDelimited", "tabDelimited"))


def _style(parameter: Parameter) -> str:
    return f"{parameter.style}{' (exploded)' if parameter.explode else ''}"
