"""A block: the columns of a joined matrix that come from one assay, such as the expression of genes or clinical covariates."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from genokeras.errors import ParameterError

_NAME = re.compile(r"[A-Za-z0-9][\w .+-]*")
_NOT_WORD = re.compile(r"\W")
SEPARATOR = ":"


@dataclass(frozen=True)
class Block:
    """Columns of one assay.

    Attributes
    ----------
    name : str
    start, stop : int
        First column, and the one behind the last.
    categories : mapping of str to tuple of str
        Covariates in text, by the name of their column, and their values, each of which has a column of zeros and ones.
    """

    name: str
    start: int
    stop: int
    categories: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def size(self) -> int:
        """Number of columns."""
        return self.stop - self.start

    @property
    def columns(self) -> slice:
        """Where they are in the joined matrix."""
        return slice(self.start, self.stop)

    @property
    def input_name(self) -> str:
        """What the input of a delivered model is called that reads this block."""
        name = _NOT_WORD.sub("_", self.name)
        return name if name[0].isalpha() else f"block_{name}"

    def qualified(self, name: str) -> str:
        """What a column is called in the joined matrix: ``rna:TP53``."""
        return f"{self.name}{SEPARATOR}{name}"

    def bare(self, name: str) -> str:
        """The inverse of `qualified`."""
        return name.removeprefix(f"{self.name}{SEPARATOR}")

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        categories = {name: list(values) for name, values in self.categories.items()}
        return {"name": self.name, "start": self.start, "stop": self.stop, "categories": categories}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Block:
        """The inverse of `to_dict`."""
        categories = {str(name): tuple(values) for name, values in data["categories"].items()}
        return cls(str(data["name"]), int(data["start"]), int(data["stop"]), categories)


def reading_of(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments of `load_dataset` that further samples of a run on a table are read with, by its ``run.json``."""
    return {
        "genes": tuple(settings["feature_names"]),
        "blocks": tuple(map(Block.from_dict, settings.get("blocks") or ())),
        "missing_blocks": settings.get("settings", {}).get("missing_blocks", "drop"),
        "layer": settings.get("settings", {}).get("layer"),
    }


def check_block_names(names: Iterable[object]) -> None:
    """Check what blocks are called.

    Raises
    ------
    ParameterError
        If there is none, a name cannot be used, or two differ in punctuation only.
    """
    found = list(names)
    if not found:
        raise ParameterError("x is a dict without blocks: expected at least one, such as {'rna': table}.")
    for name in found:
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise ParameterError(
                "the name of a block begins with a letter or a digit and has letters, digits, blanks, '_', '.', '+' and '-': got "
                f"{name!r}."
            )
    inputs = [Block(str(name), 0, 0).input_name for name in found]
    if len(set(inputs)) < len(inputs):
        raise ParameterError(
            f"names of blocks must differ in letters or digits: got {', '.join(map(str, found))}."
        )


def placed(sizes: Mapping[str, int]) -> tuple[Block, ...]:
    """Blocks of these sizes, one behind the other."""
    blocks, start = [], 0
    for name, size in sizes.items():
        blocks.append(Block(name, start, start + size))
        start += size
    return tuple(blocks)


def still_there(blocks: Sequence[Block], names: Sequence[str]) -> tuple[Block, ...]:
    """The blocks where some columns of the joined matrix were left out and ``names`` are left."""
    owners = [name.partition(SEPARATOR)[0] for name in names]
    found = placed({block.name: owners.count(block.name) for block in blocks})
    kept = zip(found, blocks, strict=True)
    return tuple(replace(new, categories=old.categories) for new, old in kept if new.size)
