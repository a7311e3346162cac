"""Each package that only some people need is an extra, and where it is missing the message says how to install it."""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from genokeras.cli.group import Failure
from genokeras.cli.kinds import find_kind
from genokeras.data import load_dataset, load_texts
from genokeras.data.foreign import as_pandas
from genokeras.data.readers import large_text
from genokeras.data.readers.anndata import read_h5ad
from genokeras.data.readers.mudata import read_h5mu
from genokeras.data.readers.spreadsheet import read_sheet
from genokeras.data.table import ReadOptions
from genokeras.errors import DataError, DataFileError
from genokeras.support.extras import EXTRAS, install_command, needs

PROJECT = tomllib.loads(Path("pyproject.toml").read_text())["project"]
# How a distribution is called whose module has another name.
DISTRIBUTIONS = {"umap": "umap-learn"}


def test_the_table_of_extras_is_that_of_the_package() -> None:
    known = PROJECT["optional-dependencies"]
    assert set(EXTRAS) == set(known) - {"all", "dev", "docs"}
    for name, extra in EXTRAS.items():
        asked = " ".join(known[name])
        assert all(DISTRIBUTIONS.get(module, module.replace("_", "-")) in asked for module in extra.modules)
    assert set(EXTRAS) - {"jax", "torch"} == set(known["all"][0].partition("[")[2].rstrip("]").split(","))


def test_what_only_one_reader_needs_is_no_part_of_the_base() -> None:
    base = " ".join(PROJECT["dependencies"])
    optional = {module for extra in EXTRAS.values() for module in extra.modules}
    assert not [name for name in optional if name in base]
    needed = ("keras", "tensorflow", "keras-tuner", "numpy", "pandas", "shap", "graphviz", "scikit-learn")
    assert all(f"'{name}>=" in str(PROJECT["dependencies"]) for name in needed)


READERS: list[tuple[str, str, str, Callable[[Path], object], type[Exception]]] = [
    ("anndata", "single-cell", "d.h5ad", lambda path: read_h5ad(path, ReadOptions()), DataFileError),
    ("anndata.io", "single-cell", "d.h5mu", lambda path: read_h5mu(path, ReadOptions()), DataFileError),
    ("pyarrow", "parquet", "d.parquet", load_dataset, DataFileError),
    ("pyarrow", "parquet", "d.parquet", load_texts, DataFileError),
    ("pyarrow", "parquet", "d.parquet", find_kind, Failure),
    ("openpyxl", "excel", "d.xlsx", lambda path: read_sheet(path, None), DataFileError),
]


@pytest.mark.parametrize(("module", "extra", "name", "read", "kind"), READERS)
def test_a_reader_without_its_package_names_the_extra(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    module: str,
    extra: str,
    name: str,
    read: Callable[[Path], object],
    kind: type[Exception],
) -> None:
    path = tmp_path / name
    pd.DataFrame({"a": [1.0]}).to_parquet(path)
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(kind) as caught:
        read(path)
    assert install_command(extra) in str(caught.value) and "damaged" not in str(caught.value)
    assert "\n" not in str(caught.value) and module.partition(".")[0] in str(caught.value)


def test_a_polars_table_without_pyarrow_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    polars = pytest.importorskip("polars")
    table = polars.DataFrame({"TP53": [1.5]})
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(DataError, match=r"table of polars needs pyarrow.*genokeras\[parquet\]"):
        as_pandas(table)


def test_large_texts_are_left_to_pandas_without_polars(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "d.tsv"
    path.write_text("id\tTP53\n" + "s1\t1\n" * 9)
    monkeypatch.setattr(large_text, "_LARGE", 0)
    assert large_text.parse_large(path, ["id\tTP53\n"], "\t", [0]) is not None
    monkeypatch.setitem(sys.modules, "polars", None)
    assert large_text.parse_large(path, ["id\tTP53\n"], "\t", [0]) is None


def test_the_wording_is_one_line_for_every_shell() -> None:
    assert (
        needs("reading h5ad", "anndata", "single-cell")
        == 'reading h5ad needs anndata, which is not installed: pip install "genokeras[single-cell]"'
    )


def test_ids_of_large_texts_keep_their_zeros_beside_labels(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "d.tsv"
    path.write_text("id\tlabel\tTP53\n007\ta\t1.5\n010\tb\t2.5\n")
    monkeypatch.setattr(large_text, "_LARGE", 0)
    assert load_dataset(path, "label").sample_ids == ("007", "010")
