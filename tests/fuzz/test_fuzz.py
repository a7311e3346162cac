"""Whatever a file holds: it is read, or one of our own errors says what is wrong; within a second and a gigabyte.

2,000 inputs of each kind are tried, shared out among the files of a run and the two ways to read a csv;
`FUZZ_INPUTS=100000 pytest tests/fuzz` (or ``make fuzz``) tries that many. They are the same each time; FUZZ_SEED asks for others.
"""

from __future__ import annotations

import logging
import math
import os
import random
import warnings
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.fuzz.mutations import damaged, shortest
from tests.fuzz.targets import Target, prepare, targets
from tests.fuzz.trying import fault, forget_peak, limited_memory

INPUTS = int(os.environ.get("FUZZ_INPUTS", "2000"))
# Letters by which two faults are taken to be one.
_SAME = 10
SEED = os.environ.get("FUZZ_SEED", "0")
TARGETS = targets()
KINDS = Counter(target.kind for target in TARGETS.values())


@pytest.fixture
def quiet() -> Iterator[None]:
    logger = logging.getLogger("genokeras")
    before = logger.level
    logger.setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
    logger.setLevel(before)


@pytest.mark.usefixtures("quiet")
@pytest.mark.timeout(60 + INPUTS // 20)
@pytest.mark.parametrize("name", list(TARGETS))
def test_damaged_files_are_read_or_refused_in_our_words(name: str, tmp_path: Path) -> None:
    target, draw = TARGETS[name], random.Random(f"{name} {SEED}")
    inputs = math.ceil(INPUTS / KINDS[target.kind])
    path = prepare(target, tmp_path / "files")
    forget_peak()
    with limited_memory():
        for number in range(inputs):
            content = damaged(draw, target.seeds)
            said = fault(target.read, path, content, number)
            if said is not None:
                short = shortest(content, partial(_fails_alike, target, path, said))
                pytest.fail(f"input {number}: {said}; in short: {short[:2000]!r}")


def _fails_alike(target: Target, path: Path, said: str, content: bytes) -> bool:
    return (fault(target.read, path, content) or "")[:_SAME] == said[:_SAME]


@pytest.mark.parametrize("name", list(TARGETS))
def test_what_the_fuzz_starts_from_is_read(name: str, tmp_path: Path) -> None:
    target = TARGETS[name]
    path = prepare(target, tmp_path / "files")
    for content in target.seeds:
        path.write_bytes(content)
        target.read(path)
