from __future__ import annotations

import pytest

from tests.faults.stopping import search, trials

Trials = list[tuple[int, str]]


@pytest.fixture(scope="session")
def expected(tmp_path_factory: pytest.TempPathFactory) -> Trials:
    """Numbers and fingerprints of a search in one process that nobody disturbs."""
    place = tmp_path_factory.mktemp("whole")
    with search(place / "run", place / "temporary", "local") as process:
        assert process.wait() == 0
    return trials(place / "run")
