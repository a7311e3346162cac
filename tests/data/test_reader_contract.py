"""Every reader keeps the contract."""

from __future__ import annotations

from pathlib import Path

import anndata
import numpy as np
import pandas as pd

from genokeras.data.testing import ReaderContract


def with_label(x: pd.DataFrame, labels: pd.Series) -> pd.DataFrame:
    return x.assign(status=labels).rename_axis("sample")


class TestCsv(ReaderContract):
    def write(self, folder, x, labels):
        with_label(x, labels).to_csv(folder / "x.csv")
        return folder / "x.csv", "status"


class TestTsvGz(ReaderContract):
    def write(self, folder, x, labels):
        with_label(x, labels).to_csv(folder / "x.tsv.gz", sep="\t")
        return folder / "x.tsv.gz", "status"


class TestParquet(ReaderContract):
    def write(self, folder, x, labels):
        with_label(x, labels).to_parquet(folder / "x.parquet")
        return folder / "x.parquet", "status"


class TestNpz(ReaderContract):
    def write(self, folder, x, labels):
        arrays = {
            "X": x.to_numpy(),
            "y": labels.to_numpy(dtype=str),
            "feature_names": np.array(x.columns, dtype=str),
        }
        np.savez(folder / "x.npz", sample_ids=np.array(x.index, dtype=str), **arrays)
        return folder / "x.npz", None


class TestGct(ReaderContract):
    def write(self, folder: Path, x: pd.DataFrame, labels: pd.Series) -> tuple[Path, str | None]:
        genes, samples = x.shape[1], x.shape[0]
        lines = [
            "#1.3",
            f"{genes}\t{samples}\t0\t1",
            "\t".join(["id", *x.index]),
            "\t".join(["status", *labels]),
        ]
        lines += ["\t".join([gene, *(f"{value:g}" for value in x[gene])]) for gene in x.columns]
        (folder / "x.gct").write_text("\n".join(lines) + "\n")
        return folder / "x.gct", "status"


class TestH5ad(ReaderContract):
    def write(self, folder, x, labels):
        data = anndata.AnnData(
            x.to_numpy(), obs=pd.DataFrame({"status": labels.to_numpy()}, index=list(x.index))
        )
        data.var_names = list(x.columns)
        data.write_h5ad(folder / "x.h5ad")
        return folder / "x.h5ad", "status"
