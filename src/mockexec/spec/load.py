"""Files → one immutable document, with every reference checked and none inlined."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urldefrag, urljoin, urlsplit

from mockexec.errors import DocumentError
from mockexec.spec import forms, references
from mockexec.spec.parse import MAX_BYTES, Marked, marks, parse
from mockexec.spec.parsed import parse_kept
from mockexec.spec.pointers import follow, join, tokens

MEMORY = "mem:document"

_OPENAPI = re.compile(r"(3\.[012])(\.\d+.*)?\Z")


@dataclass(slots=True)
class _File:
    """One file of a document. ``label`` is how messages name it; ``marks`` is made when needed."""

    uri: str
    label: str
    source: bytes
    data: Any
    marks: Marked | None = field(default=None)


class Document:
    """An OpenAPI document and all files it refers to; never changes after loading."""

    def __init__(self, root: _File, version: str, remote_hosts: frozenset[str]) -> None:
        self.uri = root.uri
        self.raw: dict[str, Any] = root.data
        self.version = version
        self.source = root.source
        info = self.raw.get("info")
        title = info.get("title") if isinstance(info, dict) else None
        self.title = title if isinstance(title, str) else ""
        self._remote_hosts = remote_hosts
        self._files = {root.uri: root}
        # (base URI, text of the $ref) → where it leads, after one step
        self._targets: dict[tuple[str, str], tuple[Any, str, str]] = {}
        # URIs given by $id and by anchors → (node, uri of the file)
        self._named: dict[str, tuple[Any, str]] = {}
        # The same for $id alone, innermost schema first: URI → (URI of the file, pointer)
        self._identified: dict[str, tuple[str, str]] = {}
        # Nodes with a $ref below an $id, whose base is not the file: identity → base URI
        self._bases: dict[int, str] = {}

    @property
    def files(self) -> Mapping[str, Any]:
        """The content of every file, by URI, the root first."""
        return {uri: file.data for uri, file in self._files.items()}

    @property
    def identified(self) -> Mapping[str, tuple[str, str]]:
        """URI given by an ``$id`` → (URI of the file, pointer) of the schema that has it."""
        return self._identified

    def address(self, uri: str, pointer: str) -> str:
        """The URI of a place as a ``$ref`` to it is written.

        Below a schema that has an ``$id`` it starts from there, as JSON Schema 2020-12 wants it
        (9.2.1: a pointer should not cross from one schema resource into another).
        """
        for identifier, (home, root) in self._identified.items():
            if home == uri and (pointer == root or pointer.startswith(f"{root}/")):
                uri, pointer = identifier, pointer.removeprefix(root)
                break
        return f"{uri}#{quote(pointer, safe='/~')}" if pointer else uri

    def resolve(self, node: Any, uri: str, pointer: str = "") -> tuple[Any, str, str]:
        """Follow the ``$ref``s of ``node``, which stands at ``pointer`` in the file ``uri``.

        Returns the node at the end, the URI of its file and its pointer there; a node that is no
        reference comes back as it is. Raises DocumentError for a cycle of references.
        """
        seen = 0
        while isinstance(node, dict) and isinstance(node.get("$ref"), str):
            seen += 1
            if seen > 1 and seen > len(self._targets) + 1:
                raise self.error("the references lead in a circle", uri, pointer)
            node, uri, pointer = self.target(node, uri)
        return node, uri, pointer

    def target(self, node: dict[str, Any], uri: str) -> tuple[Any, str, str]:
        """Where the ``$ref`` of ``node`` leads, one step: (node, uri of its file, pointer)."""
        base = self._bases.get(id(node), uri)
        key = (base, node["$ref"])
        found = self._targets.get(key)
        if found is None:
            found = self._targets[key] = self._find(node, base, uri)
        return found

    def at(self, uri: str, pointer: str) -> Any:
        """The node at ``pointer`` of the file ``uri``. Raises DocumentError where nothing is."""
        file = self._files.get(uri)
        if file is None:
            raise DocumentError(f"{uri} is no file of this document")
        try:
            return follow(file.data, tokens(pointer))
        except (LookupError, ValueError):
            raise DocumentError(f"there is nothing at {pointer}", file=file.label) from None

    def location(self, uri: str, pointer: str) -> str:
        """``file:line`` of the node at ``pointer``; ``file: pointer`` for a document in memory."""
        file, line = self._place(uri, pointer)
        return f"{file}: {pointer or '/'}" if line is None else f"{file}:{line}"

    def order(self, uri: str, pointer: str) -> tuple[int, int]:
        """A key that sorts places as they are written, file by file."""
        number = [*self._files].index(uri) if uri in self._files else len(self._files)
        return number, self._line(uri, pointer)

    def error(self, message: str, uri: str, pointer: str) -> DocumentError:
        """The error that says ``message`` about the node at ``pointer`` of the file ``uri``."""
        file, line = self._place(uri, pointer)
        if line is None:
            message = f"{message} (at {pointer or '/'})"
        return DocumentError(message, file=file, line=line)

    def _place(self, uri: str, pointer: str) -> tuple[str, int | None]:
        """The label of the file and the line of ``pointer`` in it; no line for what is no file."""
        file = self._files.get(uri)
        if file is None or uri.startswith("mem:"):
            return (file.label if file else uri), None
        return file.label, self._line(uri, pointer)

    def _line(self, uri: str, pointer: str) -> int:
        """The line of ``pointer``, or of its nearest parent that is there."""
        file = self._files.get(uri)
        if file is None or not file.source:
            return 0
        if file.marks is None:
            file.marks = marks(file.source, file=file.label)
        node = file.marks
        for key in tokens(pointer):
            try:
                node = follow(node.value, [key])
            except LookupError:
                break
        return node.line

    # Loading. ``load_document`` calls the next two before anyone else has the document. Later only
    # ``_find`` is called, for a reference inside an example or extension, which the walk skips.

    def check(self) -> None:
        """Load the files that references name; make sure that every reference leads somewhere."""
        seen: set[int] = set()
        queue: list[tuple[Any, str]] = [(self.raw, self.uri)]
        while queue:
            node, uri = queue.pop()
            found = references.walk(
                node,
                uri,
                seen,
                literal_examples=self.version == "2.0",
                with_ids=self.version >= "3.1",
            )
            self._remember_names(found, uri)
            for reference in found.references:
                if reference.base != uri:
                    self._bases[id(reference.node)] = reference.base
                target, target_uri, _ = self.target(reference.node, uri)
                if id(target) not in seen:
                    queue.append((target, target_uri))
            for reference in found.references:
                self.resolve(reference.node, uri)
        by_depth = sorted(self._identified.items(), key=lambda item: -item[1][1].count("/"))
        self._identified = dict(by_depth)

    def add_forms(self) -> None:
        """Add the schemas that only 2.0 needs, see ``forms``."""
        label = self._files[self.uri].label
        self._files[forms.URI] = _File(forms.URI, label, b"", forms.derive(self))

    def _remember_names(self, found: references.Walk, uri: str) -> None:
        for item in found.ids:
            identifier = urldefrag(item.base).url
            self._named[identifier] = (item.node, uri)
            self._identified[identifier] = (uri, self._pointer(item.node, uri))
        for item in found.anchors:
            for keyword in ("$anchor", "$dynamicAnchor"):
                if isinstance(item.node.get(keyword), str):
                    name = f"{urldefrag(item.base).url}#{item.node[keyword]}"
                    self._named[name] = (item.node, uri)

    def _find(self, node: dict[str, Any], base: str, uri: str) -> tuple[Any, str, str]:
        reference = node["$ref"]
        try:
            target, fragment = urldefrag(urljoin(base, reference) if reference else base)
            if reference.startswith("#"):
                target = urldefrag(base).url  # urljoin cannot join a fragment to a "mem:" URI
            return self._look_up(target, unquote(fragment, errors="strict"), uri)
        except (LookupError, ValueError, OSError) as error:
            path = references.pointer_to(self._files[uri].data, node)
            reason = f": {error}" if str(error) else ""
            problem = f"the $ref {reference!r} leads nowhere{reason}"
            raise self.error(problem, uri, join("", *path, "$ref")) from error

    def _look_up(self, target: str, fragment: str, uri: str) -> tuple[Any, str, str]:
        """The node ``fragment`` of ``target`` names. LookupError, ValueError, OSError if none."""
        if fragment and not fragment.startswith("/"):
            node, home = self._names(f"{target}#{fragment}")
            return node, home, self._pointer(node, home)
        if target in self._named:
            root, home = self._named[target]
            node = _descend(root, fragment)
            return node, home, self._pointer(root, home) + fragment
        file = self._files.get(target) or self._load(target, uri)
        return _descend(file.data, fragment), file.uri, fragment

    def _names(self, name: str) -> tuple[Any, str]:
        if name not in self._named:
            raise LookupError("no schema has that anchor")
        return self._named[name]

    def _pointer(self, node: Any, uri: str) -> str:
        return join("", *references.pointer_to(self._files[uri].data, node))

    def _load(self, target: str, uri: str) -> _File:
        """Read the file ``target``, which the file ``uri`` refers to."""
        # Imported here: urllib.request takes longer to import than a document to load.
        from mockexec.spec import remote  # noqa: PLC0415

        scheme = urlsplit(target).scheme
        if scheme in ("http", "https"):
            source = remote.fetch(target, self._remote_hosts)
            file = _File(target, target, source, parse(source, file=target))
        elif scheme == "file" and uri.startswith("file:"):
            file = _read(remote.path_of(target), target)
        elif uri.startswith("mem:"):
            raise ValueError("a document given as a mapping has no files beside it")
        else:
            raise ValueError(f"a {scheme or 'relative'} reference is not followed from here")
        self._files[target] = file
        return file


def load_document(
    source: Path | str | Mapping[str, Any],
    *,
    remote_hosts: frozenset[str] = frozenset(),
    keep: bool = False,
) -> Document:
    """The OpenAPI document in the file ``source``, or the one that is already parsed.

    Files are YAML or JSON, at most 32 MiB, 100 levels deep and 2,000,000 values large. A ``$ref``
    to ``http(s)://`` is followed only to ``remote_hosts``. ``keep``: the parsed form is kept beside
    the file (for those that come with the package). Raises DocumentError, with file and
    line, for whatever cannot be read, is no OpenAPI document of version 2.0 to 3.2, or refers to
    something that is not there.
    """
    if isinstance(source, Mapping):
        root = _from_mapping(source)
    else:
        path = Path(source)
        try:
            root = _read(path, path.resolve().as_uri(), keep=keep)
        except OSError as error:
            raise DocumentError(f"cannot be read: {_reason(error)}", file=str(path)) from error
    document = Document(root, _version(root), remote_hosts)
    _check_paths(document)
    document.check()
    if document.version == "2.0":
        document.add_forms()
    return document


def _from_mapping(source: Mapping[str, Any]) -> _File:
    # By way of JSON: a deep copy with text keys, or a refusal of what JSON cannot hold.
    try:
        data = json.dumps(dict(source), ensure_ascii=False, allow_nan=False, indent=2).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise DocumentError(f"not JSON types only: {error}", file="document") from error
    return _File(MEMORY, "document", data, parse(data, file="document"))


def _read(path: Path, uri: str, *, keep: bool = False) -> _File:
    with path.open("rb") as stream:
        source = stream.read(MAX_BYTES + 1)
    label = _label(path)
    data = parse_kept(source, path, file=label) if keep else parse(source, file=label)
    return _File(uri, label, source, data)


def _label(path: Path) -> str:
    """The path as a reader of messages knows it: relative where that is short."""
    try:
        return str(path.resolve().relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def _reason(error: OSError) -> str:
    return error.strerror or str(error)


def _descend(data: Any, pointer: str) -> Any:
    try:
        return follow(data, tokens(pointer))
    except (KeyError, IndexError):
        raise LookupError("no such place in the file") from None


def _version(root: _File) -> str:
    data = root.data
    if not isinstance(data, dict) or not ("openapi" in data or "swagger" in data):
        raise DocumentError("not an OpenAPI document: no openapi or swagger key", file=root.label)
    # Unquoted in YAML, ``2.0`` and ``3.1`` are numbers.
    if "swagger" in data and str(data["swagger"]) == "2.0":
        return "2.0"
    match = _OPENAPI.match(str(data.get("openapi")))
    if match is None:
        key = "openapi" if "openapi" in data else "swagger"
        raise DocumentError(f"{key}: {data[key]!r} is no version from 2.0 to 3.2", file=root.label)
    return match.group(1)


def _check_paths(document: Document) -> None:
    paths = document.raw.get("paths")
    # From 3.1 on a document may consist of webhooks or components alone.
    if "paths" not in document.raw and document.version >= "3.1":
        return
    if not isinstance(paths, dict):
        problem = "paths is missing" if "paths" not in document.raw else "paths is not a mapping"
        raise document.error(problem, document.uri, "/paths")
