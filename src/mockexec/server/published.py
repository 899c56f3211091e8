"""A document as its readers get it: true to the file, but its servers are this mock.

A client sees an API below its own base path (a session has another than the base world), so
``servers`` is written for each reader; everything else stays as the author left it.
"""

from __future__ import annotations

import json
import re
from typing import Any

import orjson

from mockexec.api import Api
from mockexec.errors import DocumentError
from mockexec.spec.operations import METHODS, server_paths
from mockexec.spec.parse import parse

# The top-level block of YAML: its key, and all lines up to the next key or comment at the margin.
_SERVERS_BLOCK = re.compile(r"^servers:.*\n(?:(?:[ \t-].*)?\n)*", re.MULTILINE)


class Published:
    """One API's document, ready to be written for any base path."""

    def __init__(self, api: Api) -> None:
        self._name = api.name
        self._document = api.document
        self._server_paths = server_paths(api.document)
        self._split: tuple[str, str] | None = None

    def json(self, base_path: str) -> bytes:
        """The document as JSON for a reader who sees the API at ``base_path``."""
        return orjson.dumps(self.value(base_path), option=orjson.OPT_INDENT_2)

    def yaml(self, base_path: str) -> bytes:
        """The author's own text with its servers replaced; where that cannot be, the JSON.

        JSON is YAML too: a document that came as JSON, or that names servers in odd places, loses
        nothing but its comments.
        """
        if self._split is None:
            self._split = self._around_servers()
        before, after = self._split
        if not before:
            return self.json(base_path)
        return f"{before}{self._servers_text(base_path)}{after}".encode()

    def value(self, base_path: str) -> dict[str, Any]:
        """The document as data, with its servers replaced."""
        raw = self._document.raw
        if self._document.version == "2.0":
            kept = {key: raw[key] for key in raw if key not in {"host", "schemes", "basePath"}}
            return {**kept, "basePath": self._place(base_path, raw.get("basePath") or "")}
        without = {**raw, "paths": _without_servers(raw.get("paths", {}))}
        return {**without, "servers": self._servers(base_path)}

    def _servers(self, base_path: str) -> list[dict[str, Any]]:
        written = self._document.raw.get("servers") or []
        # Servers that differ in nothing but their host fall together here, and lose their texts.
        texts = (
            written if len(written) == len(self._server_paths) else [{}] * len(self._server_paths)
        )
        return [
            {
                "url": self._place(base_path, path),
                **{key: text[key] for key in text if key not in {"url", "variables"}},
            }
            for text, path in zip(texts, self._server_paths, strict=True)
        ]

    def _place(self, base_path: str, server_path: str) -> str:
        below = server_path.removeprefix(f"/{self._name}").rstrip("/")
        return f"{base_path}{below}" or "/"

    def _servers_text(self, base_path: str) -> str:
        lines = ["servers:"]
        for server in self._servers(base_path):
            fields = [f"{key}: {json.dumps(value)}" for key, value in server.items()]
            lines.append("  - " + "\n    ".join(fields))
        return "\n".join(lines) + "\n\n"

    def _around_servers(self) -> tuple[str, str]:
        """The author's text before and after the servers; two empty texts where it is not so."""
        try:
            text = self._document.source.decode()
        except UnicodeDecodeError:
            return "", ""
        blocks = list(_SERVERS_BLOCK.finditer(text))
        if len(blocks) != 1 or self._document.version == "2.0":
            return "", ""
        before, after = text[: blocks[0].start()], text[blocks[0].end() :]
        trial = f"{before}{self._servers_text('/trial')}{after}"
        try:
            is_same = parse(trial.encode(), file="the document") == self.value("/trial")
        except DocumentError:
            # The block held an anchor that the rest of the file refers to.
            is_same = False
        return (before, after) if is_same else ("", "")


def _without_servers(paths: dict[str, Any]) -> dict[str, Any]:
    """The paths without servers of their own: all of them are answered here."""
    return {
        path: {key: _bare(value) if key in METHODS else value for key, value in _bare(item).items()}
        if isinstance(item, dict)
        else item
        for path, item in paths.items()
    }


def _bare(node: Any) -> Any:
    if not isinstance(node, dict) or "servers" not in node:
        return node
    return {key: value for key, value in node.items() if key != "servers"}
