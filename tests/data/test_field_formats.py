"""Files as the tools of the field write them, small and made up."""

from __future__ import annotations

import bz2
import gzip
import lzma
import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anndata
import h5py
import numpy as np
import pandas as pd
import pytest
import scipy.io
from scipy import sparse

from genokeras.data import load_dataset
from genokeras.data.readers import large_text
from genokeras.errors import DataError, DataFileError, ParameterError

PLAIN = "sample\tlabel\tTP53\tMYC\ns1\ta\t1\t2.5\ns2\tb\t3\t4.5\ns3\ta\t5\t6.5\n"
X = np.array([[1, 2.5], [3, 4.5], [5, 6.5]], dtype=np.float32)
SERIES = (
    '!Series_title\t"x"\n!Sample_title\t"a"\t"b"\t"c"\n'
    '!Sample_characteristics_ch1\t"tissue: liver"\t"tissue: brain"\t"age: 7"\n'
    '!Sample_characteristics_ch1\t"age: 5"\t"age: 6"\t"tissue: liver"\n!series_matrix_table_begin\n'
    '"ID_REF"\t"GSM1"\t"GSM2"\t"GSM3"\n"TP53"\t1\t3\t5\n"MYC"\t2.5\t4.5\t6.5\n!series_matrix_table_end\n'
)
GCT = "#1.2\n2\t3\nName\tDescription\ts1\ts2\ts3\nTP53\tna\t1\t3\t5\nMYC\tna\t2.5\t4.5\t6.5\n"


def put(path: Path, text: str | bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def dense(x: object) -> np.ndarray:
    return x.toarray() if isinstance(x, sparse.csr_matrix) else np.asarray(x)


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
@pytest.mark.parametrize("name", ["d.tsv", "d.tsv.packed", "gct.txt"])
def test_packed_text_is_known_by_its_content(
    tmp_path: Path, pack: Callable[[bytes], bytes], name: str
) -> None:
    text = GCT if name != "d.tsv" else PLAIN
    data = load_dataset(put(tmp_path / name, pack(text.encode())))
    np.testing.assert_array_equal(data.x, X)
    path = put(tmp_path / "cut.tsv", pack(np.random.default_rng(0).bytes(300).hex().encode())[:-40])
    with pytest.raises(DataFileError, match="truncated"):
        load_dataset(path)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "latin-1", "cp1252"])
def test_encodings_are_detected(tmp_path: Path, encoding: str) -> None:
    path = put(tmp_path / "d.tsv", PLAIN.replace("\ta\t", "\ttümor\t").encode(encoding))
    data = load_dataset(path, "label")
    assert data.y is not None and data.y.tolist() == ["tümor", "b", "tümor"]
    assert data.feature_names == ("TP53", "MYC")
    assert any("not UTF-8" in note for note in data.notes) == (encoding in ("latin-1", "cp1252"))


def test_statistics_tell_other_alphabets(tmp_path: Path) -> None:
    text = PLAIN.replace("\ta\t", "\tопухоль\t").replace("\tb\t", "\tконтроль, норма\t")
    data = load_dataset(put(tmp_path / "d.tsv", text.encode("cp1251")), "label")
    assert data.y is not None and data.y.tolist() == ["опухоль", "контроль, норма", "опухоль"]
    assert any("read as cp1251" in note for note in data.notes)


@pytest.mark.parametrize(
    "above", ["# made by x\n# a\tb\tc\td\te\n\n", "## sample\tlabel\n#x,y\n", "#\n", "# a; b; c\n"]
)
def test_comments_above_the_header_are_skipped(tmp_path: Path, above: str) -> None:
    for name in ("d.tsv", "d.txt"):
        data = load_dataset(put(tmp_path / name, above + PLAIN), "label")
        np.testing.assert_array_equal(data.x, X)


def test_a_header_may_stand_in_the_last_comment(tmp_path: Path) -> None:
    data = load_dataset(put(tmp_path / "d.tsv", f"# made by x\n#{PLAIN}"), "label")
    np.testing.assert_array_equal(data.x, X)


def test_an_error_below_comments_names_the_line_of_the_file(tmp_path: Path) -> None:
    with pytest.raises(DataFileError, match="line 6"):
        load_dataset(put(tmp_path / "d.csv", "# a\n# b\na,b\n1,2\n3,4\n5,6,7\n"))


@pytest.mark.parametrize("transposed", [False, True])
def test_a_series_matrix_brings_its_traits_as_targets(tmp_path: Path, transposed: bool) -> None:
    path = put(tmp_path / "GSE1_series_matrix.txt.gz", gzip.compress(SERIES.encode()))
    data = load_dataset(path, "tissue", groups="age", transposed=transposed)
    np.testing.assert_array_equal(data.x, X)
    assert data.feature_names == ("TP53", "MYC") and data.sample_ids == ("GSM1", "GSM2", "GSM3")
    assert data.y is not None and data.y.tolist() == ["liver", "brain", "liver"]
    assert data.groups is not None and data.groups.tolist() == [5, 6, 7]
    with pytest.raises(DataError, match="could be meant: .*tissue.*Did you mean 'tissue'"):
        load_dataset(path, "tisue")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("!series_matrix_table_end\n", "", "truncated"),
        ('"TP53"\t1\t3\t5\n"MYC"\t2.5\t4.5\t6.5\n', "", "supplementary files"),
        ("!series_matrix_table_begin", "!x", "expected a series matrix"),
        ('\t"GSM3"', "", "names 2 samples and holds 3"),
    ],
)
def test_a_damaged_series_matrix_is_said(tmp_path: Path, old: str, new: str, message: str) -> None:
    with pytest.raises(DataFileError, match=message):
        load_dataset(put(tmp_path / "s.txt", SERIES.replace(old, new)))


FEATURE_COUNTS = (
    '# Program:featureCounts v2.0.3; Command:"featureCounts" "-T" "4"\nGeneid\tChr\tStart\tEnd\tStrand\tLength\tA.bam\tB.bam\n'
    "g1\tchr1;chr1\t1;5\t4;9\t+;+\t9\t1\t2\ng2\tchr2\t10\t90\t-\t80\t3\t4\n"
)


@pytest.mark.parametrize("transposed", [False, True])
def test_feature_counts_have_genes_in_rows_and_places_are_no_samples(
    tmp_path: Path, transposed: bool
) -> None:
    data = load_dataset(put(tmp_path / "fc.tsv", FEATURE_COUNTS), transposed=transposed)
    assert data.sample_ids == ("A.bam", "B.bam") and data.feature_names == ("g1", "g2")
    np.testing.assert_array_equal(data.x, [[1, 3], [2, 4]])


def test_counts_of_several_samples_are_joined(tmp_path: Path) -> None:
    put(tmp_path / "htseq" / "S1.txt", "g1\t1\ng2\t2\n__no_feature\t99\n")
    put(tmp_path / "htseq" / "S2.counts", "g2\t4\ng1\t3\n__no_feature\t98\n")
    data = load_dataset(tmp_path / "htseq")
    np.testing.assert_array_equal(data.x, [[1, 2], [3, 4]])
    assert data.sample_ids == ("S1", "S2") and data.feature_names == ("g1", "g2")
    assert any("__no_feature" in note for note in data.notes)
    put(tmp_path / "htseq" / "S3.txt", "g1\t1\ng3\t2\n")
    with pytest.raises(
        DataFileError, match=r"S3.txt does not hold the genes of S1.txt: 1 gene .*\(g2\).*\(g3\)"
    ):
        load_dataset(tmp_path / "htseq")


STAR = "N_unmapped\t9\t9\t9\nN_multimapping\t9\t9\t9\nN_noFeature\t9\t9\t9\nN_ambiguous\t9\t9\t9\ng1\t3\t1\t2\ng2\t7\t4\t5\n"
SALMON = "Name\tLength\tEffectiveLength\tTPM\tNumReads\ng1\t10\t9\t1.5\t30\ng2\t10\t9\t2.5\t40\n"
KALLISTO = "target_id\tlength\teff_length\test_counts\ttpm\ng1\t10\t9\t30\t1.5\ng2\t10\t9\t40\t2.5\n"

RSEM = "gene_id\ttranscript_id(s)\tlength\teffective_length\texpected_count\tTPM\tFPKM\n"
RSEM += "g1\tt1,t2\t10\t9\t30.00\t1.5\t0.7\ng2\tt3\t10\t9\t40.00\t2.5\t0.9\n"
ISOFORMS = "transcript_id\tgene_id\tlength\teffective_length\texpected_count\tTPM\tFPKM\tIsoPct\n"
ISOFORMS += "t1\tg1\t10\t9\t30.00\t1.5\t0.5\t60.00\nt3\tg2\t10\t9\t40.00\t2.5\t0.75\t100.00\n"
WITH_MEANS = "".join(
    f"{line}\t{more}\n"
    for line, more in zip(RSEM.splitlines(), ["posterior_mean_count", "31", "41"], strict=True)
)


@pytest.mark.parametrize(
    ("name", "text", "layer", "values", "ids"),
    [
        ("{}ReadsPerGene.out.tab", STAR, None, [3, 7], ("A_", "B_")),
        ("{}ReadsPerGene.out.tab", STAR, "reverse", [2, 5], ("A_", "B_")),
        ("{}/quant.sf", SALMON, None, [1.5, 2.5], ("A_", "B_")),
        ("{}/quant.sf", SALMON, "NumReads", [30, 40], ("A_", "B_")),
        ("{}/abundance.tsv", KALLISTO, "est_counts", [30, 40], ("A_", "B_")),
        ("{}.genes.results", RSEM, None, [1.5, 2.5], ("A_", "B_")),
        ("{}.genes.results", WITH_MEANS, "expected_count", [30, 40], ("A_", "B_")),
        ("{}.isoforms.results", ISOFORMS, "FPKM", [0.5, 0.75], ("A_", "B_")),
    ],
)
def test_quantifiers_write_a_sample_a_file(
    tmp_path: Path, name: str, text: str, layer: str | None, values: list[float], ids: tuple[str, ...]
) -> None:
    for sample in ids:
        put(tmp_path / "all" / name.format(sample), text)
    data = load_dataset(tmp_path / "all", layer=layer)
    np.testing.assert_array_equal(data.x, [values, values])
    in_folders = "/" in name
    assert data.sample_ids == (ids if in_folders else tuple(name.strip("_") for name in ids))
    with pytest.raises(ParameterError, match="layer"):
        load_dataset(tmp_path / "all", layer="no such")


def ten_x_folder(folder: Path, prefix: str = "") -> Path:
    matrix = sparse.coo_matrix(np.vstack([X.T, [[7, 8, 9]]]))
    put(folder / "x", "")
    scipy.io.mmwrite(folder / "m.mtx", matrix)
    put(folder / f"{prefix}matrix.mtx.gz", gzip.compress((folder / "m.mtx").read_bytes()))
    (folder / "m.mtx").unlink()
    put(folder / f"{prefix}barcodes.tsv.gz", gzip.compress(b"s1\ns2\ns3\n"))
    features = b"E1\tTP53\tGene Expression\nE2\tMYC\tGene Expression\nA1\tCD3\tAntibody Capture\n"
    put(folder / f"{prefix}features.tsv.gz", gzip.compress(features))
    return folder


def test_a_10x_folder_is_cells_by_genes(tmp_path: Path) -> None:
    for source in (
        ten_x_folder(tmp_path / "a"),
        ten_x_folder(tmp_path / "b", "GSM1_") / "GSM1_matrix.mtx.gz",
    ):
        data = load_dataset(source)
        assert isinstance(data.x, sparse.csr_matrix)
        np.testing.assert_array_equal(dense(data.x), X)
        assert data.sample_ids == ("s1", "s2", "s3") and data.feature_names == ("TP53", "MYC")
        assert "1 feature that is no gene was left out: Antibody Capture." in data.notes
    put(tmp_path / "a" / "barcodes.tsv.gz", b"s1\ns2\n")
    with pytest.raises(DataFileError, match="3 x 3, and the files beside it name 3 genes and 2 cells"):
        load_dataset(tmp_path / "a")


def test_a_dense_matrix_leaves_out_antibodies_too(tmp_path: Path) -> None:
    folder = ten_x_folder(tmp_path / "a")
    (folder / "matrix.mtx.gz").unlink()
    scipy.io.mmwrite(folder / "matrix.mtx", np.vstack([X.T, [[7, 8, 9]]]))
    assert "array" in (folder / "matrix.mtx").read_text().split("\n")[0]
    data = load_dataset(folder)
    np.testing.assert_array_equal(data.x, X)
    assert data.feature_names == ("TP53", "MYC")


def test_triplets_alone_have_no_names(tmp_path: Path) -> None:
    scipy.io.mmwrite(tmp_path / "d.mtx", sparse.coo_matrix(X))
    data = load_dataset(tmp_path / "d.mtx")
    np.testing.assert_array_equal(dense(data.x), X)
    assert not data.names_given
    np.testing.assert_array_equal(dense(load_dataset(tmp_path / "d.mtx", transposed=True).x), X.T)
    for text in ("%%MatrixMarket matrix coordinate real general\n3 2 5\n1 1 1\n", "%%MatrixMarket\nx"):
        with pytest.raises(DataFileError, match="truncated, damaged or no Matrix Market"):
            load_dataset(put(tmp_path / "d.mtx", text))


def ten_x_file(path: Path, version: int) -> Path:
    matrix = sparse.csr_matrix(X)
    with h5py.File(path, "w") as file:
        group = file.create_group("matrix" if version == 3 else "hg19")
        for key in ("data", "indices", "indptr"):
            group[key] = getattr(matrix, key)
        group["shape"] = np.array([2, 3])
        group["barcodes"] = np.array([b"s1", b"s2", b"s3"])
        if version == 3:
            features = group.create_group("features")
            features["id"], features["name"] = np.array([b"E1", b"E2"]), np.array([b"MYC", b"MYC"])
            features["feature_type"] = np.array([b"Gene Expression"] * 2)
        else:
            group["genes"], group["gene_names"] = np.array([b"E1", b"E2"]), np.array([b"MYC", b"MYC"])
    return path


@pytest.mark.parametrize("version", [2, 3])
def test_a_10x_file_is_cells_by_genes(tmp_path: Path, version: int) -> None:
    data = load_dataset(ten_x_file(tmp_path / "d.h5", version))
    np.testing.assert_array_equal(dense(data.x), X)
    assert data.sample_ids == ("s1", "s2", "s3") and data.feature_names == ("MYC_E1", "MYC_E2")
    with h5py.File(tmp_path / "d.h5", "r+") as file:
        file["matrix" if version == 3 else "hg19"]["indices"][0] = 99
    with pytest.raises(DataFileError, match="damaged"):
        load_dataset(tmp_path / "d.h5")


def test_a_loom_file_brings_attributes_of_cells(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "d.loom", "w") as file:
        file["matrix"], file["layers/spliced"] = X.T, 2 * X.T
        file["row_attrs/Gene"] = np.array([b"TP53", b"MYC"])
        file["col_attrs/CellID"] = np.array([b"s1", b"s2", b"s3"])
        file["col_attrs/kind"] = np.array([b"a", b"b", b"a"])
    data = load_dataset(tmp_path / "d.loom", "kind")
    np.testing.assert_array_equal(data.x, X)
    assert data.sample_ids == ("s1", "s2", "s3") and data.feature_names == ("TP53", "MYC")
    assert data.y is not None and data.y.tolist() == ["a", "b", "a"]
    np.testing.assert_array_equal(load_dataset(tmp_path / "d.loom", layer="spliced").x, 2 * X)


def loom(path: Path, genes: dict[str, np.ndarray], cells: dict[str, np.ndarray]) -> Path:
    with h5py.File(path, "w") as file:
        file["matrix"] = X.T
        for group, attributes in (("row_attrs", genes), ("col_attrs", cells)):
            file.create_group(group)
            for name, values in attributes.items():
                file[group][name] = values
    return path


@pytest.mark.parametrize(
    ("of_genes", "of_cells"),
    [("var_names", "obs_names"), ("GeneName", "Barcodes"), ("gene_ids", "cell_names"), ("Genes", "cells")],
)
def test_a_loom_file_of_another_program_keeps_its_names(tmp_path: Path, of_genes: str, of_cells: str) -> None:
    genes, cells = np.array([b"TP53", b"MYC"]), np.array([b"s1", b"s2", b"s3"])
    data = load_dataset(loom(tmp_path / "d.loom", {of_genes: genes}, {of_cells: cells}))
    assert data.feature_names == ("TP53", "MYC") and data.sample_ids == ("s1", "s2", "s3")
    assert not any("have no names" in note for note in data.notes)


def test_a_loom_file_without_names_says_so(tmp_path: Path) -> None:
    path = loom(tmp_path / "d.loom", {"Chromosome": np.array([b"1", b"2"])}, {})
    data = load_dataset(path)
    assert not data.names_given and not data.ids_given
    assert (
        "Genes have no names: row_attrs has none of the usual attributes, such as Gene or var_names; it holds Chromosome."
        in data.notes
    )
    assert any("Samples have no names" in note and "it holds nothing" in note for note in data.notes)


@pytest.mark.parametrize("values", [np.array([1, 2]), np.ones((3, 2))])
def test_an_attribute_of_a_loom_file_that_is_no_target_is_said(tmp_path: Path, values: np.ndarray) -> None:
    path = loom(tmp_path / "d.loom", {}, {"kind": values})
    shape = str(values.shape).replace("(", r"\(").replace(")", r"\)")
    with pytest.raises(
        DataError, match=f"one value for each of 3 cells in the attribute 'kind', got the shape {shape}"
    ):
        load_dataset(path, "kind")
    assert load_dataset(path).x.shape == (3, 2)


def adata(x: np.ndarray = X, ids: tuple[str, ...] = ("s1", "s2", "s3")) -> anndata.AnnData:
    obs = pd.DataFrame({"kind": pd.Categorical(list("aba")[: len(ids)])}, index=list(ids))
    return anndata.AnnData(x, obs=obs, var=pd.DataFrame(index=["TP53", "MYC"]))


def test_a_layer_or_raw_of_an_h5ad_can_be_read(tmp_path: Path) -> None:
    data = adata()
    data.raw = adata(3 * X)
    data.layers["counts"] = 2 * X
    data.write_h5ad(tmp_path / "d.h5ad")
    for source in (data, tmp_path / "d.h5ad"):
        for layer, factor in ((None, 1), ("X", 1), ("counts", 2), ("raw", 3)):
            found = load_dataset(source, "kind", layer=layer)
            np.testing.assert_array_equal(dense(found.x), factor * X)
        with pytest.raises(ParameterError, match="Did you mean 'counts'"):
            load_dataset(source, layer="count")


def test_modalities_of_a_mudata_are_read_one_or_all(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "d.h5mu", "w", userblock_size=512) as file:
        anndata.io.write_elem(file, "mod/rna", adata())
        anndata.io.write_elem(file, "mod/atac", adata(2 * X[:2], ("s2", "s1")))
        file["mod"].attrs["mod-order"] = ["rna", "atac"]
        anndata.io.write_elem(file, "obs", pd.DataFrame({"er": ["+", "-", "+"]}, index=["s1", "s2", "s3"]))
    with (tmp_path / "d.h5mu").open("r+b") as raw:  # as mudata begins its files
        raw.write(b"MuData (format-version=0.1.0;creator=muon)")
    data = load_dataset(tmp_path / "d.h5mu", "er")
    assert data.sample_ids == ("s1", "s2")
    assert data.feature_names == ("rna:TP53", "rna:MYC", "atac:TP53", "atac:MYC")
    np.testing.assert_array_equal(data.x, np.hstack([X[:2], 2 * X[[1, 0]]]))
    assert data.y is not None and data.y.tolist() == ["+", "-"]
    one = load_dataset(tmp_path / "d.h5mu", "kind", modality="rna")
    np.testing.assert_array_equal(one.x, X)
    assert one.feature_names == ("TP53", "MYC")


class MuData:
    """What is read of a ``mudata.MuData``, which need not be installed: its modalities and annotations."""

    def __init__(self, mod: dict[str, anndata.AnnData], obs: pd.DataFrame) -> None:
        self.mod, self.obs = mod, obs


def test_a_mudata_in_memory_is_read_like_its_file(monkeypatch: pytest.MonkeyPatch) -> None:
    module = types.ModuleType("mudata")
    module.MuData = MuData  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "mudata", module)
    obs = pd.DataFrame({"er": ["+", "-", "+"]}, index=["s1", "s2", "s3"])
    given = MuData({"rna": adata(), "atac": adata(2 * X[:2], ("s2", "s1"))}, obs)
    data = load_dataset(given, "er")
    assert (data.sample_ids, data.source) == (("s1", "s2"), "MuData")
    assert data.feature_names == ("rna:TP53", "rna:MYC", "atac:TP53", "atac:MYC")
    np.testing.assert_array_equal(data.x, np.hstack([X[:2], 2 * X[[1, 0]]]))
    assert data.y is not None and data.y.tolist() == ["+", "-"]
    np.testing.assert_array_equal(load_dataset(given, "kind", modality="rna").x, X)
    with pytest.raises(ParameterError, match="Did you mean 'atac'"):
        load_dataset(given, modality="atak")
    with pytest.raises(
        DataError,
        match="no sample is in all of rna, atac. Blocks are joined by sample id: rna has s1, s2, s3; atac has s9",
    ):
        load_dataset(MuData({"rna": adata(), "atac": adata(X[:1], ("s9",))}, obs))


def test_a_model_of_modalities_does_without_one_only_where_it_was_fitted_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    module = types.ModuleType("mudata")
    module.MuData = MuData  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "mudata", module)
    obs = pd.DataFrame(index=["s1", "s2", "s3"])
    data = load_dataset(MuData({"rna": adata(), "atac": adata(2 * X)}, obs))
    known: dict[str, Any] = {"genes": data.feature_names, "blocks": data.blocks}
    alone = MuData({"rna": adata(), "other": adata(3 * X[:1], ("s1",))}, obs)
    with pytest.raises(
        DataError, match="the model reads the blocks rna, atac, and 'atac' is missing: got rna, other"
    ):
        load_dataset(alone, **known)
    found = load_dataset(alone, missing_blocks="mask", **known)
    assert found.feature_names == data.feature_names and found.sample_ids == ("s1", "s2", "s3")
    assert found.present is not None and found.present.tolist() == [[True, False]] * 3
    whole = MuData({"other": adata(3 * X[:1], ("s1",)), "atac": adata(2 * X), "rna": adata()}, obs)
    np.testing.assert_array_equal(load_dataset(whole, **known).x, data.x)


@pytest.mark.parametrize("name", ["d.h5", "d.loom", "d.h5mu"])
def test_hdf5_of_other_or_damaged_content_is_said(tmp_path: Path, name: str) -> None:
    with h5py.File(tmp_path / name, "w") as file:
        file["values"] = X
    with pytest.raises(DataFileError, match="none of 10x, loom, MuData or h5ad: it holds values"):
        load_dataset(tmp_path / name)
    with pytest.raises(DataFileError, match="no HDF5 file"):
        load_dataset(put(tmp_path / name, "x" * 99))


@pytest.mark.parametrize(
    ("start", "what"),
    [
        ("^DATABASE = GeoMiame\n", "series matrix"),
        ("##fileformat=VCFv4.2\n#CHROM\tPOS\n", "VCF"),
        ("<!DOCTYPE html>\n<p>", "web page"),
        (">g1\nACGT\n", "FASTA"),
        ("PK\x03\x04abc", "zip archive"),
    ],
)
def test_text_of_another_kind_is_named(tmp_path: Path, start: str, what: str) -> None:
    with pytest.raises(DataFileError, match=what):
        load_dataset(put(tmp_path / "d.txt", start))


def test_decimal_commas_are_read_on_request(tmp_path: Path) -> None:
    path = put(tmp_path / "d.csv", PLAIN.replace("\t", ";").replace(".", ","))
    data = load_dataset(path, "label", decimal=",")
    np.testing.assert_array_equal(data.x, X)
    with pytest.raises(DataError, match="pass delimiter=';'"):
        load_dataset(path, "label")
    with pytest.raises(DataError, match="decimal=','"):
        load_dataset(path, "label", delimiter=";")
    with pytest.raises(ParameterError, match="decimal"):
        load_dataset(path, "label", decimal=";")


def test_large_texts_are_read_alike_by_either_parser(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "# made\nid\tstatus\tage\tTP53\tMYC\n007\ta\t5\t1\t1.5\nx,1\tb\t\tNA\t1e3\n\n9\ta\t7\t3\t-2\n"
    path = put(tmp_path / "d.tsv", text)
    slow = load_dataset(path, "status", missing="keep")
    monkeypatch.setattr(large_text, "_LARGE", 0)
    fast = load_dataset(path, "status", missing="keep")
    np.testing.assert_array_equal(fast.x, slow.x)
    assert fast.sample_ids == slow.sample_ids == ("007", "x,1", "9")
    assert fast.y is not None and fast.y.tolist() == ["a", "b", "a"] and fast.notes == slow.notes


def test_blank_lines_of_large_texts_are_skipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = put(tmp_path / "d.csv", "id,label,TP53,MYC\ns1,a,1,2\n\ns2,b,3,4\n\n")
    monkeypatch.setattr(large_text, "_LARGE", 0)
    assert load_dataset(path, "label").sample_ids == ("s1", "s2")


@pytest.mark.parametrize("cell", [" 1.5", '"2"', "True", "1,5"])
def test_what_parsers_read_differently_is_left_to_pandas(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cell: str
) -> None:
    path = put(tmp_path / "d.tsv", f"id\tTP53\tMYC\ns1\t{cell}\t1\ns2\t{cell}\t2\n")
    monkeypatch.setattr(large_text, "_LARGE", 0)
    lines = ["id\tTP53\tMYC\n"]
    found = large_text.parse_large(path, lines, "\t", [0])
    by_pandas = pd.read_csv(path, sep="\t", header=None, skiprows=1)
    assert found is None or list(found[1]) == list(by_pandas[1])
    assert large_text.parse_large(path, ["other\n"], "\t", [0]) is None


def test_thousands_of_columns_of_text_are_refused_together(tmp_path: Path) -> None:
    row = ",".join(f"word{i}" for i in range(300))
    path = put(tmp_path / "d.csv", f"{row}\n{row}\n{row}\n")
    with pytest.raises(DataError, match="no column of numbers besides 'word0'"):
        load_dataset(path)
    data = load_dataset(put(tmp_path / "e.csv", f"{row},g\n{row},1\n{row},2\n"))
    assert data.feature_names == ("g",) and any("300 columns hold text only" in note for note in data.notes)
