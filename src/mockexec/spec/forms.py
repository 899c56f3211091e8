"""The form fields of a 2.0 operation as one schema.

2.0 writes each field of a form as a parameter of its own (``in: formData``), so there is no schema
of the whole to point at. One is derived for each such operation and kept in a file of the
document's own, ``mem:forms``, in which every property refers to the parameter as written.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from mockexec.spec.pointers import join

if TYPE_CHECKING:
    from mockexec.spec.load import Document

URI = "mem:forms"

URLENCODED = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data"
_METHODS = ("get", "put", "post", "delete", "options", "head", "patch")


def derive(document: Document) -> dict[str, Any]:
    """The derived file: for each operation with form fields, a schema under its place."""
    schemas: dict[str, Any] = {}
    for path, written in document.raw["paths"].items():
        item, uri, pointer_ = document.resolve(written, document.uri, join("/paths", path))
        if not isinstance(item, dict):
            continue
        for method in _METHODS:
            operation = item.get(method)
            if not isinstance(operation, dict):
                continue
            at = join(pointer_, method)
            fields = _fields(document, item, uri, pointer_) | _fields(document, operation, uri, at)
            if fields:
                schemas[_key(uri, at)] = _schema(fields)
    return schemas


def pointer(uri: str, operation: str) -> str:
    """Where the schema for the operation at the pointer ``operation`` of ``uri`` is."""
    return join("", _key(uri, operation))


def media_types(consumes: Sequence[str], fields: Sequence[Mapping[str, Any]]) -> list[str]:
    """The media types a form may come in: those consumed, or what its fields need."""
    names = [name.lower() for name in consumes if name.lower() in (URLENCODED, MULTIPART)]
    if names:
        return names
    return [MULTIPART] if any(field.get("type") == "file" for field in fields) else [URLENCODED]


def _key(uri: str, operation: str) -> str:
    return f"{uri}#{operation}"


def _fields(
    document: Document, owner: dict[str, Any], uri: str, at: str
) -> dict[str, tuple[str, bool]]:
    """URI and required flag of each form field that ``owner`` declares, by name."""
    found = {}
    parameters = owner.get("parameters")
    for index, written in enumerate(parameters if isinstance(parameters, list) else ()):
        node, home, place = document.resolve(written, uri, join(at, "parameters", index))
        if isinstance(node, dict) and node.get("in") == "formData":
            target = f"{home}#{quote(place, safe='/~')}"
            found[str(node.get("name"))] = (target, node.get("required") is True)
    return found


def _schema(fields: dict[str, tuple[str, bool]]) -> dict[str, Any]:
    schema: dict[str, Any] = {
        "type": "object",
        "properties": {name: {"$ref": target} for name, (target, _) in fields.items()},
    }
    required = [name for name, (_, needed) in fields.items() if needed]
    return schema | ({"required": required} if required else {})
