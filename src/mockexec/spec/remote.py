"""Files that are named by a URI: local ones by ``file:``, others fetched from allowed hosts."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener, url2pathname

from mockexec.spec.parse import MAX_BYTES

FETCH_TIMEOUT_S = 10


def path_of(uri: str) -> Path:
    """The path a ``file:`` URI names."""
    return Path(url2pathname(urlsplit(uri).path))


def fetch(url: str, hosts: frozenset[str]) -> bytes:
    """What is at ``url``, whose host must be one of ``hosts``, as ``name`` or ``name:port``.

    Raises ValueError where the host, or one it redirects to, is not allowed or does not answer.
    """
    _require_host(url, hosts)
    opener = build_opener(_AllowedHosts(hosts))
    try:
        with opener.open(url, timeout=FETCH_TIMEOUT_S) as response:
            source: bytes = response.read(MAX_BYTES + 1)
            return source
    except URLError as error:
        raise ValueError(f"cannot be fetched: {error.reason}") from error


class _AllowedHosts(HTTPRedirectHandler):
    """Follows a redirect only to a host that is allowed as well."""

    def __init__(self, hosts: frozenset[str]) -> None:
        self.hosts = hosts

    def redirect_request(
        self, req: Request, fp: Any, code: int, msg: str, headers: Any, newurl: str
    ) -> Request | None:
        _require_host(newurl, self.hosts)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _require_host(url: str, hosts: frozenset[str]) -> None:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https"):
        raise ValueError(f"{url} is not an http address")
    if parts.hostname not in hosts and parts.netloc not in hosts:
        raise ValueError(f"the remote host {parts.netloc} is not allowed")
