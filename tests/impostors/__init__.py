"""Impostors: small, independent servers that stand for somebody else's implementation.

Each implements one of the five documents with Starlette and SQLite and without any of the mock's
code, correctly, or with one planted fault switched on. What verifies servers is tried on them.
"""
