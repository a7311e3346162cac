"""Readers by suffix; `register_reader` adds one's own."""

from __future__ import annotations

from genokeras.data.readers.registry import known_suffixes, read_table, register_reader

__all__ = ["known_suffixes", "read_table", "register_reader"]
