"""Memory limits as people write them, and what a machine has left."""

from __future__ import annotations

import pytest

from genokeras import ParameterError
from genokeras.support.memory_limits import memory_left, memory_limit_of, size_text


@pytest.mark.parametrize(
    ("given", "size"),
    [
        (5e8, 5e8),
        (1024, 1024),
        ("4 GB", 4e9),
        ("4GiB", 4 * 2**30),
        ("1.5g", 1.5e9),
        ("300 mb", 3e8),
        ("7", 7),
    ],
)
def test_bytes_and_texts_with_units_are_read(given, size):
    assert memory_limit_of(given) == size


@pytest.mark.parametrize("given", ["much", "4 XB", 0, -1, True, "0 GB", [4]])
def test_anything_else_is_refused_with_an_example(given):
    with pytest.raises(ParameterError, match='number of bytes above 0, or a text such as "4 GB", got'):
        memory_limit_of(given)


def test_without_a_limit_it_is_most_of_what_is_left():
    left = memory_left()
    assert left is not None and left > 1e6
    assert memory_limit_of(None) == pytest.approx(0.9 * left, rel=0.2)


def test_sizes_are_written_for_people():
    assert [size_text(size) for size in (3.21e9, 5e6, 1500, 12)] == ["3.2 GB", "5.0 MB", "1.5 kB", "12 bytes"]
