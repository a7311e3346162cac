"""A contract for readers: subclass it in pytest, say how to write a file, and it tests what comes back."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from genokeras.data.load import load_dataset
from genokeras.errors import DataFileError


def small_table() -> tuple[pd.DataFrame, pd.Series]:
    """Six samples of four genes, and a label for each."""
    x = pd.DataFrame(
        np.arange(24, dtype="float32").reshape(6, 4) / 4 - 1,
        index=[f"S{i}" for i in range(6)],
        columns=["TP53", "BRCA1", "MYC", "KRAS"],
    )
    return x, pd.Series(["tumor", "normal"] * 3, index=x.index, name="status")


class ReaderContract(ABC):
    """What every reader has to do, whatever the format."""

    @abstractmethod
    def write(self, folder: Path, x: pd.DataFrame, labels: pd.Series) -> tuple[Path, str | None]:
        """Write a file of the format; return it, and what to pass as ``y`` to get the labels."""

    def test_values_names_and_ids_come_back(self, tmp_path: Path) -> None:
        x, labels = small_table()
        file, y = self.write(tmp_path, x, labels)
        dataset = load_dataset(file, y)
        dense = dataset.x if isinstance(dataset.x, np.ndarray) else dataset.x.toarray()
        np.testing.assert_array_equal(dense, x.to_numpy())
        assert dense.dtype == np.float32
        assert dataset.feature_names == tuple(x.columns)
        assert dataset.sample_ids == tuple(x.index)
        assert dataset.source == file.name

    def test_labels_come_back_row_by_row(self, tmp_path: Path) -> None:
        x, labels = small_table()
        file, y = self.write(tmp_path, x, labels)
        found = load_dataset(file, y).y
        assert found is not None and list(found) == list(labels)

    def test_half_a_file_is_an_error_that_names_it(self, tmp_path: Path) -> None:
        x, labels = small_table()
        file, y = self.write(tmp_path, x, labels)
        if file.suffix in (".csv", ".tsv", ".txt", ".gct"):
            pytest.skip("half a plain text is a shorter text")
        file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
        with pytest.raises(DataFileError, match=file.name):
            load_dataset(file, y)
