"""Requests that ask for another protocol: the wish is overlooked, as HTTP allows.

Java's client asks for HTTP/2 with every request of a plain connection. The parser takes all that
follows the head of such a request, its body too, for the other protocol. So the rest is given to
another parser, which is told of the head only how the body is framed.
"""

from __future__ import annotations

from typing import Protocol

import httptools

_FRAMING = (b"content-length", b"transfer-encoding")

Headers = list[tuple[bytes, bytes]]


class Listener(Protocol):
    """Who is told what a parser finds."""

    def on_message_begin(self) -> None:
        """A request begins."""

    def on_url(self, url: bytes) -> None:
        """A part of its target."""

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header."""

    def on_headers_complete(self) -> None:
        """Its head is whole."""

    def on_body(self, body: bytes) -> None:
        """A part of its body."""

    def on_message_complete(self) -> None:
        """All of it has been read."""


def has_body(headers: Headers) -> bool:
    """Whether a body follows a head with these headers, their names in lower case."""
    # A length of nothing but zeros is none.
    return any(name in _FRAMING and value.strip(b" \t0") for name, value in headers)


def parser_of_the_rest(listener: Listener, headers: Headers) -> httptools.HttpRequestParser:
    """A parser for what follows a head with these ``headers``, which has been read."""
    if not has_body(headers):
        return _lenient(listener)
    parser = _lenient(_Rest(listener))
    framing = [b"%s: %s\r\n" % header for header in headers if header[0] in _FRAMING]
    parser.feed_data(b"POST / HTTP/1.1\r\n%s\r\n" % b"".join(framing))
    return parser


def _lenient(listener: Listener) -> httptools.HttpRequestParser:
    parser = httptools.HttpRequestParser(listener)
    # As uvicorn's own are: the first of the requests sent ahead is answered, whatever follows.
    parser.set_dangerous_leniencies(lenient_data_after_close=True)
    return parser


class _Rest:
    """Tells a listener everything but the first head."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._is_head_over = False
        self.on_body = listener.on_body
        self.on_message_complete = listener.on_message_complete

    def on_message_begin(self) -> None:
        if self._is_head_over:
            self._listener.on_message_begin()

    def on_url(self, url: bytes) -> None:
        if self._is_head_over:
            self._listener.on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._is_head_over:
            self._listener.on_header(name, value)

    def on_headers_complete(self) -> None:
        if self._is_head_over:
            self._listener.on_headers_complete()
        self._is_head_over = True
