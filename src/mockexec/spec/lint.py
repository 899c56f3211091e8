"""What is wrong with a document, each finding with file and line.

The document is held against the specification's own meta-schema (openapi-spec-validator), and
against rules of ours: one function each, listed in ``_RULES``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

import jsonschema_rs

from mockexec.errors import DocumentError, Violation
from mockexec.spec import operations as model
from mockexec.spec.dialect import Direction
from mockexec.spec.load import Document
from mockexec.spec.messages import shown
from mockexec.spec.operations import Operation, SchemaRef
from mockexec.spec.places import examples, schemas
from mockexec.spec.pointers import join
from mockexec.spec.schemas import Schemas
from mockexec.spec.shapes import Shape

Severity = Literal["error", "warning"]

_MESSAGE_CHARACTERS_MAX = 300


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing wrong with a document. ``location`` is ``file:line``."""

    severity: Severity
    rule: str
    message: str
    location: str


@dataclass(frozen=True, slots=True)
class _Problem:
    """What a rule reports: a message about a place."""

    message: str
    uri: str
    pointer: str
    severity: Severity = "error"


class _Context:
    """A document and what several rules need of it."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.operations = model.operations(document)
        self.security_schemes = model.security_schemes(document)
        self.schemas = Schemas(document)


def lint(document: Document) -> list[Finding]:
    """All findings, in document order. A document whose structure is broken has just that one."""
    problems = [("specification", problem) for problem in _specification(document)]
    try:
        context = _Context(document)
    except DocumentError as error:
        # The rules need operations. Where there are none to be had, the reason is the finding.
        place = f"{error.file}:{error.line}" if error.line else str(error.file)
        found = [Finding("error", "structure", error.message, place)]
        return _findings(document, problems) + found
    for name, rule in _RULES.items():
        problems.extend((name, problem) for problem in rule(context))
    return _findings(document, problems)


def _findings(document: Document, problems: list[tuple[str, _Problem]]) -> list[Finding]:
    unique = dict.fromkeys(problems)
    ordered = sorted(unique, key=lambda item: document.order(item[1].uri, item[1].pointer))
    return [
        Finding(
            problem.severity, rule, problem.message, document.location(problem.uri, problem.pointer)
        )
        for rule, problem in ordered
    ]


# The specification


def _specification(document: Document) -> Iterator[_Problem]:
    """What openapi-spec-validator finds and no rule of ours reports with more detail."""
    # Imported here: it takes half a second, which only lint has.
    import openapi_spec_validator as library  # noqa: PLC0415

    validators = {
        "2.0": library.OpenAPIV2SpecValidator,
        "3.0": library.OpenAPIV30SpecValidator,
        "3.1": library.OpenAPIV31SpecValidator,
        "3.2": library.OpenAPIV32SpecValidator,
    }
    by_identity = _index(document)
    files = document.files
    chosen = validators[document.version]
    # References are answered from what is loaded; nothing is read or fetched again.
    offline: Any = type(
        "Offline",
        (chosen,),
        {"resolver_handlers": dict.fromkeys(("file", "http", "https", "mem"), files.__getitem__)},
    )
    validator = offline(document.raw, base_uri=document.uri)
    for error in validator.schema_validator.iter_errors(document.raw):
        nearest = _nearest(error)
        pointer = join("", *nearest.absolute_path)
        yield _Problem(_short(nearest), document.uri, pointer)
    try:
        for error in validator.root_validator(validator.schema_path):
            # A default that does not fit is reported by the rule on examples, and operations by
            # the rules on them; this library has no place for either.
            ours = type(error).__name__ in _OURS or id(error.schema) in by_identity
            # A keyword with a value of the wrong kind: the rule on usable schemas has the place.
            keyword = bool(error.absolute_path) and not isinstance(error.instance, dict | list)
            if ours or keyword:
                continue
            uri, pointer = by_identity.get(id(error.instance), (document.uri, ""))
            yield _Problem(_short(error), uri, pointer)
    except Exception as error:
        # It raises what it likes on malformed documents, and that is a finding too.
        message = f"openapi-spec-validator stopped: {type(error).__name__}: {error}"
        yield _Problem(message[:_MESSAGE_CHARACTERS_MAX], document.uri, "", "warning")


def _nearest(error: Any) -> Any:
    """Of an error that has reasons, the one that lies deepest in the document."""
    while error.context:
        error = max(error.context, key=lambda reason: len(reason.absolute_path))
    return error


_OURS = frozenset(
    (
        "DuplicateOperationIDError",
        "ExtraParametersError",
        "ParameterDuplicateError",
        "UnresolvableParameterError",
    )
)


def _index(document: Document) -> dict[int, tuple[str, str]]:
    """Where every mapping and list of the document is, by identity."""
    found: dict[int, tuple[str, str]] = {}
    for uri, data in document.files.items():
        stack = [(data, "")]
        while stack:
            node, pointer = stack.pop()
            if not isinstance(node, dict | list) or id(node) in found:
                continue
            found[id(node)] = (uri, pointer)
            pairs = node.items() if isinstance(node, dict) else enumerate(node)
            stack.extend((value, join(pointer, key)) for key, value in pairs)
    return found


def _short(error: Any) -> str:
    """The library's message without the whole value, which it repeats."""
    instance = error.instance
    text = _first_line(error.message).replace(repr(instance), shown(instance))
    text = text.replace(json.dumps(instance, separators=(",", ":"), default=str), shown(instance))
    if len(text) > _MESSAGE_CHARACTERS_MAX:
        text = f"{text[:_MESSAGE_CHARACTERS_MAX]}…"
    return text


# Operations


def _operation_id(context: _Context) -> Iterator[_Problem]:
    """Every operation has an operationId, and no two the same."""
    seen: dict[str, Operation] = {}
    for operation in context.operations:
        node = context.document.at(operation.uri, operation.pointer)
        written = node.get("operationId")
        name = f"{operation.method} {operation.path}"
        if not written:
            yield _Problem(
                f"{name} has no operationId", operation.uri, operation.pointer, "warning"
            )
        elif written in seen:
            first = f"{seen[written].method} {seen[written].path}"
            pointer = join(operation.pointer, "operationId")
            message = f"{name} has the operationId {written} of {first}"
            yield _Problem(message, operation.uri, pointer)
        else:
            seen[written] = operation


_TEMPLATE = re.compile(r"\{([^{}]*)\}")


def _path_parameters(context: _Context) -> Iterator[_Problem]:
    """The parameters of a path template are declared, and declared ones are in it."""
    for operation in context.operations:
        wanted = _TEMPLATE.findall(operation.path)
        declared = {item.name: item for item in operation.parameters if item.location == "path"}
        name = f"{operation.method} {operation.path}"
        for missing in dict.fromkeys(wanted):
            if missing not in declared:
                message = f"{name} does not declare its path parameter {missing}"
                yield _Problem(message, operation.uri, operation.pointer)
            if wanted.count(missing) > 1:
                message = f"{operation.path} has the parameter {missing} twice"
                yield _Problem(message, operation.uri, operation.pointer)
        for parameter in declared.values():
            if parameter.name not in wanted:
                message = f"the path parameter {parameter.name} is not part of {operation.path}"
                yield _Problem(message, parameter.uri, parameter.pointer)


def _required_path_parameters(context: _Context) -> Iterator[_Problem]:
    """A path parameter says ``required: true``, as the specification wants it."""
    for operation in context.operations:
        for parameter in operation.parameters:
            node = context.document.at(parameter.uri, parameter.pointer)
            if parameter.location == "path" and node.get("required") is not True:
                message = f"the path parameter {parameter.name} is not marked as required"
                yield _Problem(message, parameter.uri, parameter.pointer)


def _unique_parameters(context: _Context) -> Iterator[_Problem]:
    """No list of parameters has the same name and place twice."""
    document = context.document
    paths = document.raw.get("paths") or {}
    for path, written in paths.items():
        item, uri, pointer = document.resolve(written, document.uri, join("/paths", path))
        if not isinstance(item, dict):
            continue
        owners = [(item, pointer)]
        owners += [
            (item[m], join(pointer, m)) for m in model.METHODS if isinstance(item.get(m), dict)
        ]
        for owner, at in owners:
            yield from _duplicates(document, owner, uri, at)


def _duplicates(document: Document, owner: dict[str, Any], uri: str, at: str) -> Iterator[_Problem]:
    seen = set()
    for index, written in enumerate(owner.get("parameters") or ()):
        node, _, _ = document.resolve(written, uri)
        key = (node.get("name"), node.get("in"))
        if key in seen:
            message = f"the {key[1]} parameter {key[0]} is there twice"
            yield _Problem(message, uri, join(at, "parameters", index))
        seen.add(key)


def _unique_paths(context: _Context) -> Iterator[_Problem]:
    """No two path templates match the same paths."""
    seen: dict[str, str] = {}
    for path in context.document.raw.get("paths") or {}:
        shape = _TEMPLATE.sub("{}", path)
        if shape in seen:
            message = f"{path} matches the same paths as {seen[shape]}"
            yield _Problem(message, context.document.uri, join("/paths", path))
        else:
            seen[shape] = path


_STATUS = re.compile(r"[1-5]([0-9][0-9]|XX)\Z", re.ASCII)


def _response_keys(context: _Context) -> Iterator[_Problem]:
    """Responses are listed under a status, a range such as 4XX, or default."""
    old = context.document.version == "2.0"
    for operation in context.operations:
        responses = context.document.at(operation.uri, operation.pointer).get("responses") or {}
        for status in responses:
            if status.startswith("x-") or status == "default":
                continue
            if not _STATUS.match(status) or (old and status.endswith("XX")):
                pointer = join(operation.pointer, "responses", status)
                yield _Problem(f"{status} is no HTTP status", operation.uri, pointer)


def _security(context: _Context) -> Iterator[_Problem]:
    """Security requirements name schemes that are there."""
    document = context.document
    schemes = context.security_schemes
    owners = [(document.raw, document.uri, "")]
    owners += [(document.at(o.uri, o.pointer), o.uri, o.pointer) for o in context.operations]
    for node, uri, pointer in owners:
        written = node.get("security")
        for index, requirement in enumerate(written if isinstance(written, list) else ()):
            for name in requirement if isinstance(requirement, dict) else ():
                # From 3.2 on a requirement may be a URI of a scheme elsewhere.
                if name not in schemes and not (document.version >= "3.2" and "/" in name):
                    at = join(pointer, "security", index, name)
                    yield _Problem(f"there is no security scheme {name}", uri, at)


def _links(context: _Context) -> Iterator[_Problem]:
    """Links lead to operations, and set parameters that those have."""
    by_id = {operation.id: operation for operation in context.operations}
    by_place = {(o.uri, o.pointer): o for o in context.operations}
    for operation in context.operations:
        for response in operation.responses.values():
            for link in response.links.values():
                yield from _link(context.document, link, by_id, by_place)


def _link(
    document: Document,
    link: model.Link,
    by_id: dict[str, Operation],
    by_place: dict[tuple[str, str], Operation],
) -> Iterator[_Problem]:
    if link.operation_id is None and link.operation_ref is None:
        yield _Problem(f"the link {link.name} names no operation", link.uri, link.pointer)
        return
    if link.operation_id is not None:
        target = by_id.get(link.operation_id)
        named = link.operation_id
    else:
        named = str(link.operation_ref)
        if not named.startswith("#"):
            return  # an operation of another document
        _, uri, pointer = document.target({"$ref": named}, link.uri)
        target = by_place.get((uri, pointer))
    if target is None:
        message = f"the link {link.name} leads to {named}, which is no operation"
        yield _Problem(message, link.uri, link.pointer)
        return
    known = {item.name for item in target.parameters}
    known |= {f"{item.location}.{item.name}" for item in target.parameters}
    for name in link.parameters:
        if name not in known:
            message = f"the link {link.name} sets {name}, which {target.id} has no parameter of"
            yield _Problem(message, link.uri, join(link.pointer, "parameters", name))


# Schemas


def _usable_schemas(context: _Context) -> Iterator[_Problem]:
    """Keywords have the form JSON Schema gives them, and patterns are regular expressions."""
    for ref, schema in _converted(context):
        try:
            jsonschema_rs.meta.validate(schema)
        except (ValueError, jsonschema_rs.ReferencingError) as error:
            pointer = join(ref.pointer, *getattr(error, "instance_path", ()))
            yield _Problem(f"this is no schema: {_first_line(error)}", ref.uri, pointer)
    for place in schemas(context.document):
        for pattern, pointer in _patterns(place.node, place.pointer):
            try:
                jsonschema_rs.Draft202012Validator({"pattern": pattern})
            except ValueError as error:
                yield _Problem(f"this is no pattern: {_first_line(error)}", place.uri, pointer)
        for keyword in ("exclusiveMinimum", "exclusiveMaximum"):
            # Such a schema is read as 3.0 meant it, so nothing else would tell.
            if context.document.version >= "3.1" and isinstance(place.node.get(keyword), bool):
                message = f"{keyword} is a number from 3.1 on, not a boolean"
                yield _Problem(message, place.uri, join(place.pointer, keyword))


def _patterns(node: dict[str, Any], pointer: str) -> Iterator[tuple[str, str]]:
    if isinstance(node.get("pattern"), str):
        yield node["pattern"], join(pointer, "pattern")
    by_name = node.get("patternProperties")
    for pattern in by_name if isinstance(by_name, dict) else ():
        yield pattern, join(pointer, "patternProperties", pattern)


_DIRECTIONS: tuple[Direction, ...] = ("request", "response")


def _named_schemas(context: _Context) -> Iterator[SchemaRef]:
    """Schemas that stand in no other schema."""
    inside: set[int] = set()
    for place in schemas(context.document):
        if id(place.node) not in inside:
            yield SchemaRef(context.document, place.uri, place.pointer)
        inside.update(id(value) for value in _schemas_in(place.node))


def _schemas_in(node: dict[str, Any]) -> Iterator[Any]:
    for value in node.values():
        if isinstance(value, dict):
            yield value
            yield from value.values()
        elif isinstance(value, list):
            yield from value


def _impossible_schemas(context: _Context) -> Iterator[_Problem]:
    """A schema that no value fits is a mistake, unless it is plainly written as ``false``."""
    reasons = jsonschema_rs.canonical.UnsatisfiableReason
    registry = context.schemas.registry("request")
    for ref, schema in _converted(context):
        if "$ref" in schema:
            continue  # said where the schema is written
        try:
            found = jsonschema_rs.canonical.find_unsatisfiable(
                schema, registry=registry, validate_formats=True, offline=True
            )
        except (ValueError, jsonschema_rs.ReferencingError):
            continue  # the rule on usable schemas has said why
        for pointer, reason in found.items():
            if not isinstance(reason, reasons.Literal):
                message = f"no value fits this schema: {_why(reason)}"
                yield _Problem(message, ref.uri, ref.pointer + pointer)


def _converted(context: _Context) -> Iterator[tuple[SchemaRef, dict[str, Any]]]:
    """Schemas that stand in no other schema, with their JSON Schema form for requests."""
    converted = context.schemas.converted("request")
    for ref in _named_schemas(context):
        yield ref, converted.at(converted.address(ref.uri, ref.pointer))


def _first_line(error: Exception | str) -> str:
    return str(error).partition("\n")[0]


def _why(reason: Any) -> str:
    causes = getattr(reason, "causes", None) or [reason.cause]
    words = [keyword for cause in causes for keyword in cause.keywords]
    unique = list(dict.fromkeys(words))
    if not unique:
        return "a part of it admits nothing"
    if len(words) > len(unique) == 1:
        return f"its {unique[0]} keywords contradict each other"
    if len(unique) == 1:
        return f"{unique[0]} admits nothing"
    return f"{', '.join(unique[:-1])} and {unique[-1]} contradict each other"


_PARTIAL = frozenset(("allOf", "anyOf", "oneOf", "not", "if", "then", "else"))


def _required_properties(context: _Context) -> Iterator[_Problem]:
    """A required property is also described; else its name is likely misspelt."""
    for place in schemas(context.document):
        names = place.node.get("required")
        if not isinstance(names, list) or "properties" not in place.node:
            continue
        # A part of a composed schema may require what another part describes.
        if not _PARTIAL.isdisjoint(place.pointer.split("/")[-2:]):
            continue
        known = Shape(context.document, ((place.node, place.uri),)).properties
        for index, name in enumerate(names):
            if name not in known:
                message = f"the required property {name} is not described"
                at = join(place.pointer, "required", index)
                yield _Problem(message, place.uri, at, "warning")


def _examples(context: _Context) -> Iterator[_Problem]:
    """Examples and defaults fit their schemas."""
    for example in examples(context.document):
        directions = (example.way,) if example.way else _DIRECTIONS
        found: list[list[Violation]] = []
        for direction in directions:
            try:
                validator = context.schemas.validator(example.schema, direction)
            except DocumentError:
                found = []  # the rule on usable schemas has said so
                break
            found.append(validator.violations(example.value))
        if found and all(found):
            what = "default" if example.pointer.endswith("/default") else "example"
            problem = found[0][0]
            subject = problem.pointer or "it"
            message = f"this {what} does not fit its schema: {subject} {problem.message}"
            yield _Problem(message, example.uri, example.pointer)


_RULES: dict[str, Callable[[_Context], Iterator[_Problem]]] = {
    "operation-id": _operation_id,
    "path-parameters": _path_parameters,
    "required-path-parameters": _required_path_parameters,
    "unique-parameters": _unique_parameters,
    "unique-paths": _unique_paths,
    "response-keys": _response_keys,
    "security-schemes": _security,
    "links": _links,
    "usable-schemas": _usable_schemas,
    "impossible-schemas": _impossible_schemas,
    "required-properties": _required_properties,
    "examples": _examples,
}
