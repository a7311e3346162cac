"""No search begins where advice is tried: that all was accepted is enough."""

from __future__ import annotations

from typing import Any

import pytest

from tests.advice.cases import Reached


@pytest.fixture(autouse=True)
def no_search(monkeypatch: pytest.MonkeyPatch) -> None:
    def reached(*arguments: Any) -> None:
        raise Reached

    monkeypatch.setattr("genokeras.engine.fit.SearchLoop", reached)
