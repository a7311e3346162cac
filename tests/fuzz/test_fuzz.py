"""Whatever a file holds: it is read, or one of our own errors says what is wrong; within a second and a gigabyte.

`FUZZ_INPUTS=100000 pytest tests/fuzz` (or ``make fuzz``) tries that many inputs a target; without it a hundred are tried.
"""

from __future__ import annotations

import logging
import os
import resource
import time
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from genokeras.errors import GenoKerasError
from tests.fuzz.mutations import damaged
from tests.fuzz.targets import Target, prepare, targets

INPUTS = int(os.environ.get("FUZZ_INPUTS", "0"))
SHORT_RUN = 100
SECONDS, KILOBYTES = 1.0, 1_000_000
TARGETS = targets()


def _try(target: Target, path: Path, content: bytes) -> None:
    path.write_bytes(content)
    memory, start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.thread_time()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            target.read(path)
    except GenoKerasError as error:
        assert str(error).strip(), "an error without a word"
    seconds, grown = time.thread_time() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory
    assert seconds < SECONDS, f"took {seconds:.1f} s"
    assert grown < KILOBYTES, f"took {grown} kB"


@pytest.fixture
def quiet() -> Iterator[None]:
    logger = logging.getLogger("genokeras")
    before = logger.level
    logger.setLevel(logging.ERROR)
    yield
    logger.setLevel(before)


@pytest.mark.usefixtures("quiet")
@pytest.mark.timeout(0 if INPUTS else 60)
@pytest.mark.parametrize("name", list(TARGETS))
def test_damaged_files_are_read_or_refused_in_our_words(name: str, tmp_path: Path) -> None:
    target, inputs = TARGETS[name], INPUTS or max(20, int(SHORT_RUN * TARGETS[name].share))
    path = prepare(target, tmp_path / "files")

    @settings(
        max_examples=inputs,
        deadline=None,
        database=None,
        derandomize=not INPUTS,
        suppress_health_check=list(HealthCheck),
    )
    @given(damaged(target.seeds))
    def try_one(content: bytes) -> None:
        _try(target, path, content)

    try_one()


@pytest.mark.parametrize("name", [name for name in TARGETS if not name.startswith("run_")])
def test_what_the_fuzz_starts_from_is_read(name: str, tmp_path: Path) -> None:
    path = prepare(TARGETS[name], tmp_path / "files")
    read = 0
    for content in TARGETS[name].seeds:
        path.write_bytes(content)
        try:
            TARGETS[name].read(path)
            read += 1
        except GenoKerasError:
            pass
    assert read
