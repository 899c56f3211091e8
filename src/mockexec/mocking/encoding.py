"""Generated values and examples as they go on the wire in formats other than JSON."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlencode
from xml.sax.saxutils import escape

import orjson

_HEADER_SAFE = re.compile(r"[\x21-\x7e\xa0-\xff](?:[\t\x20-\x7e\xa0-\xff]*[\x21-\x7e\xa0-\xff])?")
_XML_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9._-]*")


def is_json(media_type: str) -> bool:
    """Whether a media type, or a range that a document may have instead, is sent as JSON."""
    essence = media_type.partition(";")[0].strip()
    return essence.endswith(("/json", "+json")) or essence in ("*/*", "application/*")


def concrete(media_type: str) -> str:
    """A media type that can be sent, where the document has a range."""
    if "*" not in media_type:
        return media_type
    kind = media_type.partition("/")[0]
    return "text/plain" if kind == "text" else "application/json"


def as_text(media_type: str, value: Any) -> bytes:
    """``value`` in a format that is not JSON; a text is taken to be in that format already."""
    essence = media_type.partition(";")[0].strip()
    if essence.endswith(("/xml", "+xml")) and not isinstance(value, str):
        return f'<?xml version="1.0" encoding="UTF-8"?>\n{_xml("root", value)}'.encode()
    if isinstance(value, str):
        return value.encode()
    if essence == "application/x-www-form-urlencoded" and isinstance(value, dict):
        return urlencode(value, doseq=True).encode()
    if essence == "text/event-stream":
        return b"data: " + orjson.dumps(value) + b"\n\n"
    if essence in ("application/jsonl", "application/x-ndjson", "application/json-lines"):
        lines = value if isinstance(value, list) else [value]
        return b"".join(orjson.dumps(line) + b"\n" for line in lines)
    return orjson.dumps(value)


def _xml(name: str, value: Any) -> str:
    """An element; attributes and namespaces of the ``xml`` keyword are not told apart."""
    tag = name if _XML_NAME.fullmatch(name) else "item"
    if isinstance(value, dict):
        inner = "".join(
            "".join(_xml(key, part) for part in item) if isinstance(item, list) else _xml(key, item)
            for key, item in value.items()
        )
    elif isinstance(value, list):
        inner = "".join(_xml("item", item) for item in value)
    else:
        inner = escape(_scalar(value))
    return f"<{tag}>{inner}</{tag}>"


def as_header(value: Any) -> str | None:
    """``value`` in the style ``simple`` (OpenAPI 3.0.3, Header Object), or None if it cannot be."""
    if isinstance(value, list):
        text = ",".join(map(_scalar, value))
    elif isinstance(value, dict):
        text = ",".join(f"{key},{_scalar(item)}" for key, item in value.items())
    else:
        text = _scalar(value)
    return text if _HEADER_SAFE.fullmatch(text) else None


def _scalar(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    return orjson.dumps(value).decode()
