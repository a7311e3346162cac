"""What estimators tell scikit-learn of themselves (``__sklearn_tags__``): which samples and targets they take."""

from __future__ import annotations

from abc import abstractmethod

from sklearn.base import BaseEstimator
from sklearn.utils import Tags

# Which of scikit-learn's kinds of input each kind of samples may come as.
_INPUTS: dict[str, dict[str, bool]] = {
    "genome": {"two_d_array": True, "sparse": True},
    "sequence": {"two_d_array": False, "one_d_array": True, "three_d_array": True, "string": True},
    "image": {"two_d_array": False, "three_d_array": True},
    "text": {"two_d_array": False, "one_d_array": True, "string": True},
}


class Tagged(BaseEstimator):
    """An estimator whose tags say what it reads."""

    time_limit: float | None

    @property
    @abstractmethod
    def _samples_kind(self) -> str:
        """Which of the kinds of samples it is for."""

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        for name, holds in _INPUTS[self._samples_kind].items():
            setattr(tags.input_tags, name, holds)
        # The medians of the training rows take the place of missing values.
        tags.input_tags.allow_nan = getattr(self, "missing", "error") == "median"
        tags.target_tags.required = True
        # How many trials there are follows from the clock.
        tags.non_deterministic = self.time_limit is not None
        return tags
