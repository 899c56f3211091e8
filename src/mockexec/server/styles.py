"""Values as parameters carry them (OpenAPI 3.0.3, "Style Values"); ``parameters`` reads them."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import orjson

from mockexec.spec.operations import Parameter

_DELIMITERS = {"spaceDelimited": "%20", "pipeDelimited": "%7C", "tabDelimited": "%09"}


def in_path(parameter: Parameter, value: Any) -> str:
    """``value`` as the text of a path segment, percent-encoded."""
    if parameter.media_type is not None:
        return _encoded(orjson.dumps(value).decode())
    if parameter.style == "label":
        return "." + _joined(value, "." if parameter.explode else ",", parameter.explode)
    if parameter.style == "matrix":
        if parameter.explode and isinstance(value, dict):
            return "".join(f";{_encoded(key)}={_encoded(item)}" for key, item in value.items())
        if parameter.explode and isinstance(value, list):
            return "".join(f";{parameter.name}={_encoded(item)}" for item in value)
        return f";{parameter.name}={_joined(value, ',', False)}"
    return _joined(value, ",", parameter.explode)


def in_query(parameter: Parameter, value: Any) -> list[str]:
    """``value`` as ``name=value`` texts of a query, percent-encoded."""
    name = quote(parameter.name, safe="[]$")
    if parameter.media_type is not None:
        return [f"{name}={_encoded(orjson.dumps(value).decode())}"]
    if isinstance(value, dict) and parameter.style == "deepObject":
        return [f"{name}[{_encoded(key)}]={_encoded(item)}" for key, item in value.items()]
    if isinstance(value, dict) and parameter.explode:
        return [f"{_encoded(key)}={_encoded(item)}" for key, item in value.items()]
    if isinstance(value, list) and parameter.explode:
        return [f"{name}={_encoded(item)}" for item in value]
    return [f"{name}={_joined(value, _DELIMITERS.get(parameter.style, ','), False)}"]


def in_cookie(parameter: Parameter, value: Any) -> str:
    """``value`` as one ``name=value`` text, in which nothing is percent-encoded."""
    return f"{parameter.name}={in_header(parameter, value)}"


def in_header(parameter: Parameter, value: Any) -> str:
    """``value`` as the text of a header, in which nothing is percent-encoded."""
    if parameter.media_type is not None:
        return orjson.dumps(value).decode()
    if isinstance(value, list):
        return ",".join(_text(item) for item in value)
    if isinstance(value, dict):
        between = "=" if parameter.explode else ","
        return ",".join(f"{key}{between}{_text(item)}" for key, item in value.items())
    return _text(value)


def _joined(value: Any, delimiter: str, explode: bool) -> str:
    if isinstance(value, list):
        return delimiter.join(_encoded(item) for item in value)
    if isinstance(value, dict):
        between = "=" if explode else delimiter
        pairs = (f"{_encoded(key)}{between}{_encoded(item)}" for key, item in value.items())
        return delimiter.join(pairs)
    return _encoded(value)


def _encoded(value: Any) -> str:
    return quote(_text(value), safe=":@")


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    return "" if value is None else orjson.dumps(value).decode()
