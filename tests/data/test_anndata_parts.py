"""AnnData in memory, backed and on disk: the one matrix that is asked for is read, and the genes that are used."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from genokeras.data import load_dataset
from genokeras.data.readers import backed
from genokeras.errors import DataError, DataFileError, ParameterError

anndata = pytest.importorskip("anndata")
X = np.random.default_rng(0).poisson(1.0, (9, 6)).astype("float64")
FORMS = {"csr": sparse.csr_matrix, "csc": sparse.csc_matrix, "dense": np.asarray}


@pytest.fixture(autouse=True)
def few_rows_at_once(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(backed, "_BYTES_AT_ONCE", 200)
    yield


def cells(form: Any) -> Any:
    obs = pd.DataFrame({"kind": list("abcabcabc")}, index=[f"c{i}" for i in range(9)])
    names = pd.DataFrame(index=[f"G{i}" for i in range(6)])
    data = anndata.AnnData(form(X), obs=obs, var=names)
    data.raw = anndata.AnnData(form(3 * X), obs=obs, var=names)
    data = data[:, :5].copy()
    data.layers["counts"] = form(2 * X[:, :5])
    return data


def dense(x: Any) -> np.ndarray:
    return x.toarray() if sparse.issparse(x) else np.asarray(x)


def written(form: str, folder: Path) -> Path:
    cells(FORMS[form]).write_h5ad(folder / "d.h5ad")
    return folder / "d.h5ad"


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("how", ["memory", "file", "backed", "part"])
def test_every_matrix_is_read_alike_wherever_it_lies(form: str, how: str, tmp_path: Path) -> None:
    path = written(form, tmp_path)
    source: Any = cells(FORMS[form]) if how == "memory" else path
    if how in ("backed", "part"):
        source = anndata.read_h5ad(path, backed="r")
    rows = slice(2, 7) if how == "part" else slice(None)
    source = source[rows] if how == "part" else source
    for layer, values in ((None, X[:, :5]), ("counts", 2 * X[:, :5]), ("raw", 3 * X)):
        found = load_dataset(source, "kind", layer=layer)
        np.testing.assert_array_equal(dense(found.x), values[rows])
        assert found.x.dtype == np.float32 and sparse.issparse(found.x) == (form != "dense")
        assert found.sample_ids == tuple(f"c{i}" for i in range(9))[rows]
        some = load_dataset(source, layer=layer, genes=("G4", "G1"))
        assert some.feature_names == ("G1", "G4") and "unknown to the model dropped" in some.notes[-1]
        np.testing.assert_array_equal(dense(some.x), values[rows][:, [1, 4]])


@pytest.mark.parametrize("layer", [None, "counts", "raw"])
def test_what_is_not_asked_for_is_not_read(layer: str | None, tmp_path: Path) -> None:
    path = written("csr", tmp_path)
    with h5py.File(path, "a") as file:
        file["obsm/big"] = [1.0]
        file["obsm/big"].attrs["encoding-type"] = "from the future"
        for name, key in (("X", None), ("layers/counts", "counts"), ("raw/X", "raw")):
            if key != layer:
                del file[name]["data"]
    assert load_dataset(path, "kind", layer=layer).n_samples == 9


def test_what_is_damaged_is_said_where_it_is_asked_for(tmp_path: Path) -> None:
    path = written("csr", tmp_path)
    with h5py.File(path, "a") as file:
        del file["X"]["data"]
    with pytest.raises(DataFileError, match=r"d.h5ad is truncated, damaged or no h5ad file"):
        load_dataset(path)


def test_a_matrix_in_an_unknown_encoding_is_named(tmp_path: Path) -> None:
    path = written("csr", tmp_path)
    with h5py.File(path, "a") as file:
        file["X"].attrs["encoding-type"] = "awkward-array"
    with pytest.raises(DataError, match="/X is no matrix that can be read: its encoding is 'awkward-array'"):
        load_dataset(path)


def test_use_raw_is_the_layer_raw(tmp_path: Path) -> None:
    path = written("dense", tmp_path)
    np.testing.assert_array_equal(load_dataset(path, use_raw=True).x, 3 * X)
    np.testing.assert_array_equal(load_dataset(path, use_raw=False).x, X[:, :5])
    with pytest.raises(ParameterError, match="give layer='counts' or use_raw=True"):
        load_dataset(path, layer="counts", use_raw=True)
    with pytest.raises(ParameterError, match="use_raw must be True or False, got 'yes'"):
        load_dataset(path, use_raw="yes")  # type: ignore[arg-type]


def test_a_layer_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(
        ParameterError, match=r"layer \(of d.h5ad\) must be one of counts, raw, X, got 'count'"
    ):
        load_dataset(written("csr", tmp_path), layer="count")
