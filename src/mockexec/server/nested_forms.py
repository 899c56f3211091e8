"""Form fields that spell out objects and lists: ``address[city]=Oslo``, ``lines[0][sku]=7``,
``tags[]=a``.

OpenAPI calls the style ``deepObject`` and describes one level of an object. The APIs whose bodies
are forms write deeper objects and lists in the same way, and so do their clients.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mockexec.server.parameters import Undecodable, property_shape, scalar
from mockexec.spec.schemas import Shape

_KEY = re.compile(r"\[([^\[\]]*)\]")
_KEYS = re.compile(r"(?:\[[^\[\]]*\])*")
_POSITION = re.compile(r"[0-9]{0,9}", re.ASCII)
_LEVELS_MAX = 32

# A branch leads on by key; a leaf holds what was given under one name.
Leaf = Sequence[str]
Branch = dict[str, "Branch | Leaf"]


def spelled(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    """The fields, a name and a scalar each, that spell out ``value``; ``gathered`` reads them."""
    if isinstance(value, dict | list):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for key, item in items:
            yield from spelled(f"{name}[{key}]", item)
    else:
        yield name, value


def grow(branch: Branch, name: str, texts: Leaf) -> None:
    """Enters the field ``name``, such as ``a[b][c]``, into the tree of its form.

    Raises:
        Undecodable: the name is not of that form, or the tree has something else there.
    """
    root, bracket, rest = name.partition("[")
    path = bracket + rest
    keys = [root, *_KEY.findall(path)]
    if not _KEYS.fullmatch(path) or len(keys) > _LEVELS_MAX:
        raise Undecodable(f"form field {name[:80]} must be named as in field[key]")
    for key in keys[:-1]:
        inner = branch.setdefault(key, {})
        if not isinstance(inner, dict):
            raise Undecodable(f"form field {name[:80]} is part of one that has a value of its own")
        branch = inner
    if keys[-1] in branch:
        raise Undecodable(f"form field {name[:80]} has parts, and a value of its own")
    branch[keys[-1]] = texts


def gathered(node: Branch | Leaf, shape: Shape | None, name: str) -> Any:
    """The value that a part of the tree stands for, with the types that ``shape`` admits."""
    types = shape.types if shape is not None else frozenset()
    if not isinstance(node, dict):
        if "array" in types:
            return [scalar(text, _types(_items(shape))) for text in node]
        if len(node) > 1:
            if types:
                raise Undecodable(f"form field {name[:80]} must be given once")
            return list(node)
        return scalar(node[0], types)
    if "array" in types and all(_POSITION.fullmatch(key) for key in node):
        return list(_elements(node, _items(shape), name))
    return {
        key: gathered(inner, property_shape(shape, key), f"{name}[{key}]")
        for key, inner in node.items()
    }


def _elements(node: Mapping[str, Branch | Leaf], shape: Shape | None, name: str) -> Iterator[Any]:
    """In the order of their numbers; ``[]`` holds any number of them, which come first."""
    for key in sorted(node, key=lambda key: int(key or -1)):
        inner = node[key]
        if key or isinstance(inner, dict):
            yield gathered(inner, shape, f"{name}[{key}]")
        else:
            yield from (scalar(text, _types(shape)) for text in inner)


def _items(shape: Shape | None) -> Shape | None:
    return shape.items if shape is not None else None


def _types(shape: Shape | None) -> frozenset[str]:
    return shape.types if shape is not None else frozenset()
