"""A document → its operations, in document order.

All versions come out as the same values; what 2.0 says in its own way (``consumes``,
``formData``, ``collectionFormat``) is mapped onto what 3.x says.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin, urlsplit

from mockexec.spec import forms
from mockexec.spec.load import Document
from mockexec.spec.pointers import join

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace", "query")
# Specification 3.x, Parameter Object: these header parameters are ignored.
_IGNORED_HEADERS = frozenset(("accept", "content-type", "authorization"))


@dataclass(frozen=True, slots=True)
class SchemaRef:
    """A schema by its place: a file of the document and a JSON pointer into it."""

    document: Document
    uri: str
    pointer: str

    @property
    def raw(self) -> Any:
        """The schema as written."""
        return self.document.at(self.uri, self.pointer)


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of an operation.

    ``location`` is path, query, header or cookie (3.2 adds querystring: the whole query).
    ``media_type`` is set where the parameter has ``content`` instead of a schema. ``examples`` maps
    names to values: the single ``example`` under ``""``, the schema's own and its default last.
    """

    name: str
    location: str
    required: bool
    style: str
    explode: bool
    allow_reserved: bool
    allow_empty_value: bool
    schema: SchemaRef | None
    media_type: str | None
    examples: Mapping[str, Any]
    pointer: str
    uri: str = ""


@dataclass(frozen=True, slots=True)
class Encoding:
    """How one property of a form is written."""

    content_type: str | None
    style: str
    explode: bool
    allow_reserved: bool


@dataclass(frozen=True, slots=True)
class MediaType:
    """One entry of ``content``; ``name`` is lower-cased. ``item_schema`` is of 3.2."""

    name: str
    schema: SchemaRef | None
    examples: Mapping[str, Any]
    encoding: Mapping[str, Encoding]
    item_schema: SchemaRef | None = None


@dataclass(frozen=True, slots=True)
class Body:
    """A request body, by media type."""

    required: bool
    content: Mapping[str, MediaType]
    pointer: str
    uri: str = ""


@dataclass(frozen=True, slots=True)
class Header:
    """One response header."""

    name: str
    required: bool
    schema: SchemaRef | None
    examples: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Link:
    """One link of a response; values are constants or runtime expressions."""

    name: str
    operation_id: str | None
    operation_ref: str | None
    parameters: Mapping[str, Any]
    request_body: Any
    pointer: str = ""
    uri: str = ""


@dataclass(frozen=True, slots=True)
class Response:
    """One documented answer; ``status`` is ``200``, ``4XX`` or ``default``."""

    status: str
    description: str
    headers: Mapping[str, Header]
    content: Mapping[str, MediaType]
    links: Mapping[str, Link]
    pointer: str
    uri: str = ""


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path.

    ``id`` is the operationId, or a made one (``get_/pets/{id}``) where it is missing or taken.
    ``security`` lists alternatives, each a map from scheme to scopes: ``()`` needs nothing, an
    empty map among them lets anonymous calls in. ``uri`` and ``pointer`` say where it is written.
    """

    id: str
    method: str
    path: str
    summary: str
    description: str
    tags: tuple[str, ...]
    parameters: tuple[Parameter, ...]
    body: Body | None
    responses: Mapping[str, Response]
    security: tuple[Mapping[str, tuple[str, ...]], ...]
    deprecated: bool
    extensions: Mapping[str, Any]
    pointer: str
    uri: str = ""


@dataclass(frozen=True, slots=True)
class SecurityScheme:
    """How a caller proves who they are; ``basic`` of 2.0 is ``http`` with the scheme basic."""

    name: str
    type: str
    scheme: str
    location: str
    parameter: str
    raw: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Node:
    """A mapping of the document and where it is written."""

    document: Document
    uri: str
    pointer: str
    value: Mapping[str, Any]

    def get(self, key: str, default: Any = None) -> Any:
        return self.value.get(key, default)

    def text(self, key: str) -> str:
        value = self.value.get(key)
        return value if isinstance(value, str) else ""

    def flag(self, key: str, *, default: bool = False) -> bool:
        value = self.value.get(key)
        return value if isinstance(value, bool) else default

    def child(self, *keys: str | int) -> _Node:
        """The mapping below, references followed. Raises DocumentError if it is none."""
        node: Any = self.value
        for key in keys:
            node = node[key]
        return _node(self.document, node, self.uri, join(self.pointer, *keys))

    def map(self, key: str) -> Iterator[tuple[str, _Node]]:
        """The objects of a map of names, in which ``x-rate`` is a name like any other."""
        children = self.value.get(key)
        if children is None:
            return
        if not isinstance(children, dict):
            raise self.error(f"{key} is not a mapping", key)
        for name in children:
            yield name, self.child(key, name)

    def list(self, key: str) -> Iterator[_Node]:
        children = self.value.get(key)
        if children is None:
            return
        if not isinstance(children, list):
            raise self.error(f"{key} is not a list", key)
        for index in range(len(children)):
            yield self.child(key, index)

    def strings(self, key: str) -> tuple[str, ...]:
        value = self.value.get(key)
        return tuple(str(item) for item in value) if isinstance(value, list) else ()

    def schema(self, key: str = "schema") -> SchemaRef | None:
        if not isinstance(self.value.get(key), dict | bool):
            return None
        return SchemaRef(self.document, self.uri, join(self.pointer, key))

    def error(self, message: str, *keys: str | int) -> Exception:
        return self.document.error(message, self.uri, join(self.pointer, *keys))


def _node(document: Document, value: Any, uri: str, pointer: str) -> _Node:
    value, uri, pointer = document.resolve(value, uri, pointer)
    if not isinstance(value, dict):
        raise document.error("this is not a mapping", uri, pointer)
    return _Node(document, uri, pointer, value)


def operations(document: Document) -> tuple[Operation, ...]:
    """All operations under ``paths``. Raises DocumentError where the document is malformed."""
    root = _Node(document, document.uri, "", document.raw)
    made = []
    taken = {
        node.text("operationId"): None
        for _, _, node, _ in _written(root)
        if node.text("operationId")
    }
    used: set[str] = set()
    for method, path, node, items in _written(root):
        identifier = node.text("operationId")
        if not identifier or identifier in used:
            identifier = _made_id(f"{method.lower()}_{path}", used | taken.keys())
        used.add(identifier)
        made.append(_operation(identifier, (method, path), node, items, root))
    return tuple(made)


def _made_id(wanted: str, taken: set[str]) -> str:
    identifier, number = wanted, 1
    while identifier in taken:
        number += 1
        identifier = f"{wanted}_{number}"
    return identifier


def _written(root: _Node) -> Iterator[tuple[str, str, _Node, list[_Node]]]:
    """(method, path, operation, the path item it stands in) in document order."""
    paths = root.get("paths") or {}
    for path in paths:
        if not path.startswith("/"):
            continue  # an extension, or a mistake that lint reports
        items = _layers(root, path)
        methods: dict[str, _Node] = {}
        for item in items:
            for key in item.value:
                if key in METHODS:
                    methods.setdefault(key.upper(), item.child(key))
            for key, node in item.map("additionalOperations"):
                methods.setdefault(key, node)
        for method, node in methods.items():
            yield method, path, node, items


def _layers(root: _Node, path: str) -> list[_Node]:
    """A path item and, where it is a ``$ref`` with fields beside it, what it refers to."""
    written = root.value["paths"][path]
    if written is None:
        return []
    item = root.child("paths", path)
    if item.value is written:
        return [item]
    pointer = join("", "paths", path)
    beside = {key: value for key, value in written.items() if key != "$ref"}
    return [_Node(root.document, root.uri, pointer, beside), item] if beside else [item]


def _operation(
    identifier: str, route: tuple[str, str], node: _Node, items: list[_Node], root: _Node
) -> Operation:
    old = root.document.version == "2.0"
    written = _parameters(node, items)
    body = _old_body(node, root, written) if old else _body(node)
    security = node.get("security", root.get("security"))
    return Operation(
        id=identifier,
        method=route[0],
        path=route[1],
        summary=node.text("summary") or next((i.text("summary") for i in items), ""),
        description=node.text("description") or next((i.text("description") for i in items), ""),
        tags=node.strings("tags"),
        parameters=tuple(_parameter(item, old) for item in written if _is_parameter(item, old)),
        body=body,
        responses=dict(_responses(node, root)),
        security=_security(security),
        deprecated=node.flag("deprecated"),
        extensions={key: value for key, value in node.value.items() if key.startswith("x-")},
        pointer=node.pointer,
        uri=node.uri,
    )


def _security(written: Any) -> tuple[Mapping[str, tuple[str, ...]], ...]:
    if not isinstance(written, list):
        return ()
    return tuple(
        {name: tuple(scopes or ()) for name, scopes in alternative.items()}
        for alternative in written
        if isinstance(alternative, dict)
    )


# Parameters


def _parameters(node: _Node, items: list[_Node]) -> list[_Node]:
    """The parameters of the path item, overridden and followed by the operation's own."""
    merged: dict[tuple[str, str], _Node] = {}
    for owner in (*reversed(items), node):
        for parameter in owner.list("parameters"):
            name, location = parameter.get("name"), parameter.get("in")
            if not isinstance(name, str) or not isinstance(location, str):
                raise parameter.error("a parameter needs a name and an in")
            merged[name, location] = parameter
    return list(merged.values())


def _is_parameter(node: _Node, old: bool) -> bool:
    location = node.text("in")
    if old:
        return location not in ("body", "formData")
    return location != "header" or node.text("name").lower() not in _IGNORED_HEADERS


def _parameter(node: _Node, old: bool) -> Parameter:
    location = node.text("in")
    content = next(iter(node.map("content")), None)
    schema = SchemaRef(node.document, node.uri, node.pointer) if old else node.schema()
    if content is not None:
        schema = content[1].schema()
    style, explode = _style(node, location, old)
    return Parameter(
        name=node.text("name"),
        location=location,
        required=location == "path" or node.flag("required"),
        style=style,
        explode=explode,
        allow_reserved=node.flag("allowReserved"),
        allow_empty_value=node.flag("allowEmptyValue"),
        schema=schema,
        media_type=content[0].lower() if content else None,
        examples=_examples(content[1] if content else node, schema),
        pointer=node.pointer,
        uri=node.uri,
    )


_DEFAULT_STYLES = {"path": "simple", "query": "form", "header": "simple", "cookie": "form"}
_COLLECTION_STYLES = {"ssv": "spaceDelimited", "tsv": "tabDelimited", "pipes": "pipeDelimited"}


def _style(node: _Node, location: str, old: bool) -> tuple[str, bool]:
    default = _DEFAULT_STYLES.get(location, "form")
    if old:
        collection = node.text("collectionFormat")
        return _COLLECTION_STYLES.get(collection, default), collection == "multi"
    style = node.text("style") or default
    return style, node.flag("explode", default=style in ("form", "cookie"))


# Bodies


def _body(node: _Node) -> Body | None:
    if not isinstance(node.get("requestBody"), dict):
        return None
    body = node.child("requestBody")
    return Body(body.flag("required"), _content(body), body.pointer, body.uri)


def _content(node: _Node) -> dict[str, MediaType]:
    content = {}
    for name, media in node.map("content"):
        schema = media.schema()
        content[name.lower()] = MediaType(
            name=name.lower(),
            schema=schema,
            examples=_examples(media, schema),
            encoding={key: _encoding(item) for key, item in media.map("encoding")},
            item_schema=media.schema("itemSchema"),
        )
    return content


def _encoding(node: _Node) -> Encoding:
    style = node.text("style") or "form"
    return Encoding(
        content_type=node.text("contentType") or None,
        style=style,
        explode=node.flag("explode", default=style == "form"),
        allow_reserved=node.flag("allowReserved"),
    )


def _old_body(node: _Node, root: _Node, written: list[_Node]) -> Body | None:
    """The body of a 2.0 operation, from its ``body`` parameter or its ``formData`` ones."""
    consumes = node.strings("consumes") or root.strings("consumes")
    for parameter in written:
        if parameter.text("in") == "body":
            schema = parameter.schema()
            media = {
                name.lower(): MediaType(name.lower(), schema, _examples(parameter, schema), {})
                for name in consumes or ("application/json",)
            }
            return Body(parameter.flag("required"), media, parameter.pointer, parameter.uri)
    fields = [parameter for parameter in written if parameter.text("in") == "formData"]
    return _form(node, fields, consumes) if fields else None


def _form(node: _Node, fields: list[_Node], consumes: tuple[str, ...]) -> Body:
    schema = SchemaRef(node.document, forms.URI, forms.pointer(node.uri, node.pointer))
    encoding = {
        field.text("name"): Encoding(None, *_style(field, "query", old=True), allow_reserved=False)
        for field in fields
        if field.get("type") == "array"
    }
    names = forms.media_types(consumes, [field.value for field in fields])
    content = {name: MediaType(name, schema, {}, encoding) for name in names}
    return Body(any(f.flag("required") for f in fields), content, node.pointer, node.uri)


# Responses


def _responses(operation: _Node, root: _Node) -> Iterator[tuple[str, Response]]:
    responses = operation.get("responses")
    if responses is not None and not isinstance(responses, dict):
        raise operation.error("responses is not a mapping", "responses")
    for written in responses or ():
        if not written.startswith("x-"):
            status = written if written == "default" else written.upper()
            node = operation.child("responses", written)
            yield status, _response(status, node, root, operation)


def _response(status: str, node: _Node, root: _Node, operation: _Node) -> Response:
    old = root.document.version == "2.0"
    return Response(
        status=status,
        description=node.text("description"),
        headers={
            name: _header(name, header, old)
            for name, header in node.map("headers")
            if name.lower() != "content-type"
        },
        content=_old_content(node, root, operation) if old else _content(node),
        links={name: _link(name, link) for name, link in node.map("links")},
        pointer=node.pointer,
        uri=node.uri,
    )


def _header(name: str, node: _Node, old: bool) -> Header:
    content = next(iter(node.map("content")), None)
    schema = SchemaRef(node.document, node.uri, node.pointer) if old else node.schema()
    if content is not None:
        schema = content[1].schema()
    return Header(name, node.flag("required"), schema, _examples(node, schema))


def _old_content(node: _Node, root: _Node, operation: _Node) -> dict[str, MediaType]:
    schema = node.schema()
    examples = node.get("examples")
    examples = examples if isinstance(examples, dict) else {}
    produces = operation.strings("produces") or root.strings("produces")
    names = [*(produces or ("application/json",))] if schema else []
    names.extend(name for name in examples if name not in names)
    content = {}
    for name in names:
        own = {"": examples[name]} if name in examples else {}
        content[name.lower()] = MediaType(name.lower(), schema, own | _schema_examples(schema), {})
    return content


def _link(name: str, node: _Node) -> Link:
    parameters = node.get("parameters")
    return Link(
        name=name,
        operation_id=node.text("operationId") or None,
        operation_ref=node.text("operationRef") or None,
        parameters=parameters if isinstance(parameters, dict) else {},
        request_body=node.get("requestBody"),
        pointer=node.pointer,
        uri=node.uri,
    )


# Examples


def _examples(node: _Node, schema: SchemaRef | None) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key in ("example", "x-example"):
        if key in node.value:
            found.setdefault("", node.value[key])
    if isinstance(node.get("examples"), dict):
        for name, example in node.map("examples"):
            for key in ("dataValue", "value"):
                if key in example.value:
                    found.setdefault(name, example.value[key])
    for name, value in _schema_examples(schema).items():
        found.setdefault(name, value)
    return found


def _schema_examples(schema: SchemaRef | None) -> dict[str, Any]:
    """The schema's own examples, its default last."""
    if schema is None:
        return {}
    found: dict[str, Any] = {}
    node, uri = schema.raw, schema.uri
    # From 3.1 on a schema may say more beside its $ref, so every step of the chain is asked.
    for _ in range(10):
        if not isinstance(node, dict):
            break
        if "example" in node:
            found.setdefault("schema", node["example"])
        if isinstance(node.get("examples"), list):
            for number, value in enumerate(node["examples"], 1):
                found.setdefault(f"schema-{number}", value)
        if "default" in node:
            found.setdefault("default", node["default"])
        if not isinstance(node.get("$ref"), str):
            break
        node, uri, _pointer = schema.document.target(node, uri)
    default = found.pop("default", None)
    return found if default is None else found | {"default": default}


# Security and servers


def security_schemes(document: Document) -> Mapping[str, SecurityScheme]:
    """The security schemes by name."""
    root = _Node(document, document.uri, "", document.raw)
    if document.version == "2.0":
        schemes = root.map("securityDefinitions")
    else:
        components = root.get("components")
        schemes = root.child("components").map("securitySchemes") if components else iter(())
    return {name: _scheme(name, node) for name, node in schemes}


def _scheme(name: str, node: _Node) -> SecurityScheme:
    old_basic = node.text("type") == "basic"
    return SecurityScheme(
        name=name,
        type="http" if old_basic else node.text("type"),
        scheme="basic" if old_basic else node.text("scheme").lower(),
        location=node.text("in"),
        parameter=node.text("name"),
        raw=node.value,
    )


def server_paths(document: Document) -> tuple[str, ...]:
    """The path of every server, without a slash at its end; ``""`` for the root."""
    if document.version == "2.0":
        base = document.raw.get("basePath")
        return (base.rstrip("/") if isinstance(base, str) else "",)
    root = _Node(document, document.uri, "", document.raw)
    found = {_server_path(server): None for server in root.list("servers")}
    return tuple(found) or ("",)


def _server_path(server: _Node) -> str:
    url = server.text("url")
    for name, variable in server.map("variables"):
        url = url.replace("{" + name + "}", str(variable.get("default", "")))
    return urlsplit(urljoin("/", url)).path.rstrip("/")
