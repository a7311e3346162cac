"""What a notebook shows of an estimator."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
from sklearn import get_config
from sklearn.base import BaseEstimator

from genokeras.report.cell import cell_html

if TYPE_CHECKING:
    from genokeras.engine import Run


class Displayed(BaseEstimator):
    """A fitted estimator shows its estimate, its best trials and its parameters; before, it shows what scikit-learn shows."""

    if TYPE_CHECKING:
        _run: Run

        def leaderboard(self) -> pd.DataFrame: ...

    def _repr_html_inner(self) -> str:
        shown: str = super()._repr_html_inner()
        if not hasattr(self, "_run"):
            return shown
        found = cell_html(self._run, type(self).__name__, self.leaderboard())
        return f"{found}\n<details><summary>Parameters</summary>\n{shown}\n</details>"

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, str]:
        bundle: dict[str, str] = super()._repr_mimebundle_(**kwargs)
        if get_config()["display"] == "diagram":
            bundle["text/html"] = self._repr_html_inner()
        return bundle
