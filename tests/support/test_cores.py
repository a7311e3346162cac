"""Matrix products have threads for the cores that others leave."""

from __future__ import annotations

import os

import numpy as np
import pytest
from threadpoolctl import threadpool_info

from genokeras.support import cores
from genokeras.support.processes import usable_cores


def threads() -> int:
    return max(pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas")


@pytest.mark.parametrize("busy", [0.0, 1.2, 500.0])
def test_busy_cores_are_left_to_others(monkeypatch, busy):
    monkeypatch.setattr(os, "getloadavg", lambda: (busy, 0.0, 0.0), raising=False)
    free = max(1, min(usable_cores(), (os.cpu_count() or 1) - int(busy)))
    assert cores.free_cores() == free
    before = threads()
    assert cores.within_cores(lambda: (np.eye(2) @ np.eye(2), threads())[1])() == min(before, free)
    assert threads() == before
