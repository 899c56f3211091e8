"""Parsed files kept beside their sources, as Python keeps compiled modules.

Reading the documents and fixtures that come with the package takes a third of the start-up; as
JSON it takes next to nothing. What is kept carries the digest of the very bytes it was made of, so
it is never stale; where the folder cannot be written, or Python was told to write no such files,
every start parses.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path
from typing import Any

import orjson

from mockexec.spec.parse import parse

FOLDER = "__pycache__"
# Raised whenever ``parse`` would make something else of the same bytes.
_FORMAT = 1


def parse_kept(source: bytes, path: Path, *, file: str) -> Any:
    """``parse`` of the content of ``path``; raises what it raises."""
    digest = blake2b(source, digest_size=12, salt=b"%d" % _FORMAT).hexdigest()
    kept = path.parent / FOLDER / f"{path.stem}.{digest}.json"
    try:
        return orjson.loads(kept.read_bytes())
    except (OSError, orjson.JSONDecodeError):
        value = parse(source, file=file)
    if not sys.dont_write_bytecode:
        _keep(value, kept, path.stem)
    return value


def _keep(value: Any, kept: Path, stem: str) -> None:
    # A folder that cannot be written is no fault of anybody's: the next start parses again.
    with suppress(OSError):
        kept.parent.mkdir(exist_ok=True)
        for older in kept.parent.glob(f"{stem}.*.json"):
            older.unlink(missing_ok=True)
        partial = kept.with_suffix(f".{os.getpid()}.tmp")
        partial.write_bytes(orjson.dumps(value))
        # At once, so that another process never reads half of it.
        partial.replace(kept)
