"""Several assays of the same samples as blocks of one matrix."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from genokeras.data import Dataset, load_dataset
from genokeras.errors import DataError, ParameterError

IDS = [f"s{i}" for i in range(12)]


def frame(seed: int, genes: str, ids: list[str] = IDS) -> pd.DataFrame:
    values = np.random.default_rng(seed).normal(size=(len(ids), len(genes)))
    return pd.DataFrame(values, index=ids, columns=list(genes))


RNA, METH = frame(0, "abcd"), frame(1, "abc", IDS[::-1][:10])
CLINICAL = frame(2, "x").assign(sex=["f", "m", None] * 4, grade=pd.Categorical([1, 2, 3] * 4))
LABELS = np.arange(12) % 2


def joined(**options: Any) -> Dataset:
    return load_dataset({"rna": RNA, "meth": METH, "clinical": CLINICAL}, LABELS, **options)


def test_blocks_are_joined_by_sample_id_and_who_misses_one_is_said() -> None:
    data = joined()
    assert data.sample_ids == tuple(IDS[2:]) and data.present is None
    assert [(block.name, block.start, block.stop) for block in data.blocks] == [
        ("rna", 0, 4),
        ("meth", 4, 7),
        ("clinical", 7, 14),
    ]
    assert data.feature_names[:5] == ("rna:a", "rna:b", "rna:c", "rna:d", "meth:a")
    np.testing.assert_allclose(data.x[:, 4:7], METH.loc[IDS[2:]], rtol=1e-6)
    assert data.y is not None and data.y.tolist() == LABELS[2:].tolist()
    assert "those that lack one were left out: meth (2: s0, s1)" in data.notes[-1]


def test_several_targets_may_be_columns_of_a_block() -> None:
    clinical = CLINICAL.assign(days=np.arange(12.0), dead=LABELS)
    data = load_dataset({"rna": RNA, "meth": METH, "c": clinical}, ["days", "dead"], several_targets=True)
    assert data.y is not None and data.y[:, 0].tolist() == list(range(2, 12))
    assert "c:days" not in data.feature_names


def test_text_is_one_hot_and_its_missing_values_are_a_category() -> None:
    data = joined()
    sex = data.x[:, [data.feature_names.index(f"clinical:sex={value}") for value in ("f", "m", "missing")]]
    assert sex.sum(axis=1).tolist() == [1.0] * 10 and sex[:3].argmax(axis=1).tolist() == [2, 0, 1]
    assert "clinical:grade=2" in data.feature_names
    assert dict(data.blocks[2].categories)["sex"] == ("f", "m", "missing")


def test_values_that_training_did_not_have_are_warned_of() -> None:
    data = joined()
    new = CLINICAL.assign(sex=[name.upper() if isinstance(name, str) else name for name in CLINICAL["sex"]])
    with pytest.warns(
        UserWarning, match="'sex' has values that training did not.*: F, M. Training had f, m, missing"
    ):
        found = load_dataset(
            {"rna": RNA.loc[IDS[2:]], "meth": METH, "clinical": new.loc[IDS[2:]]},
            genes=data.feature_names,
            blocks=data.blocks,
        )
    assert found.x[:, found.feature_names.index("clinical:sex=f")].sum() == 0


def test_samples_without_a_block_can_stay() -> None:
    data = joined(missing_blocks="mask")
    assert data.n_samples == 12 and data.present is not None
    assert data.present.sum(axis=0).tolist() == [12, 10, 12]
    assert np.isnan(data.x[:2, 4:7]).all() and not np.isnan(data.x[2:]).any()
    again = load_dataset(data)
    assert again.blocks == data.blocks and again.present is not None


def with_blank(block: pd.DataFrame, *ids: str) -> pd.DataFrame:
    blank = block.copy()
    blank.loc[list(ids)] = np.nan
    return blank


def test_a_sample_without_any_value_in_a_block_lacks_it() -> None:
    blank = {"rna": RNA, "meth": with_blank(METH, "s2", "s3"), "clinical": CLINICAL}
    data = load_dataset(blank, LABELS, missing_blocks="mask")
    assert data.present is not None and (~data.present).sum(axis=0).tolist() == [0, 4, 0]
    assert any(
        "2 samples have no value in a whole block and will do without it" in note
        and note.endswith(": meth (2: s2, s3).")
        for note in data.notes
    )
    without = load_dataset(blank | {"meth": METH.drop(index=["s2", "s3"])}, missing_blocks="mask")
    assert without.present is not None and np.array_equal(data.present, without.present)
    assert np.array_equal(data.x, without.x, equal_nan=True)


def test_a_dataset_and_new_samples_may_have_blank_blocks_too() -> None:
    blank = {"rna": with_blank(RNA, "s4"), "meth": frame(1, "abc")}
    kept = load_dataset(blank, missing="keep")
    assert kept.present is None
    known: dict[str, Any] = {"genes": kept.feature_names, "blocks": kept.blocks}
    for x in (kept, blank):
        found = load_dataset(x, missing_blocks="mask", **known)
        assert found.present is not None and (~found.present).sum(axis=0).tolist() == [1, 0]


def test_text_without_a_number_beside_it_makes_no_block_a_measured_one() -> None:
    clinical = pd.DataFrame(
        {"age": [50.0, np.nan, 61.0, 40.0], "stage": ["I", None, None, "II"]}, index=IDS[:4]
    )
    blocks = {"rna": RNA.iloc[:4], "clinical": clinical}
    data = load_dataset(blocks, missing_blocks="mask")
    assert data.present is not None and data.present[:, 1].tolist() == [True, False, True, True]
    assert data.x[2, 4:].tolist() == [61, 0, 0, 1]
    with pytest.raises(DataError, match="1 missing value .*sample 's1', gene 'clinical:age'"):
        load_dataset(blocks)


def test_where_no_sample_may_lack_a_block_the_message_says_which_one_and_the_way_out() -> None:
    whole = {"rna": RNA, "meth": frame(1, "abc")}
    blank = whole | {"meth": with_blank(whole["meth"], *IDS[2:8])}
    said = r"blocks: 6 samples have no value in a whole block: meth \(6: s2, s3, s4, s5, s6, and 1 more\)"
    with pytest.raises(
        DataError, match=rf"{said}. Leave them out of that block, or pass missing_blocks='mask'"
    ):
        load_dataset(blank)
    data = load_dataset(whole)
    with pytest.raises(
        DataError, match=rf"{said}. Leave these samples out, or fit with missing_blocks='mask'"
    ):
        load_dataset(blank, genes=data.feature_names, blocks=data.blocks)
    filled = load_dataset(blank, missing="median")
    assert any("no value in a whole block, all of which is filled in" in note for note in filled.notes)


def test_a_block_that_says_nothing_of_any_sample_can_be_left_out() -> None:
    for how in ("drop", "mask"):
        with pytest.raises(DataError, match="'meth' has no value in any sample. Leave the block out"):
            load_dataset({"rna": RNA, "meth": METH * np.nan}, missing_blocks=how)
    halves = {"rna": with_blank(RNA, *IDS[:6]), "meth": with_blank(frame(1, "abc"), *IDS[6:])}
    with pytest.raises(DataError, match="no sample has values in all of rna, meth"):
        load_dataset(halves, missing_blocks="mask")


def test_a_block_without_rows_is_named() -> None:
    blocks = {"rna": RNA, "meth": METH.iloc[:0]}
    with pytest.raises(
        DataError, match="the block 'meth' .DataFrame. has no samples.* or leave the block out"
    ):
        load_dataset(blocks)
    data = load_dataset({"rna": RNA, "meth": METH})
    known: dict[str, Any] = {"genes": data.feature_names, "blocks": data.blocks}
    with pytest.raises(DataError, match="'meth' .DataFrame. has no samples.* or leave the block out"):
        load_dataset(blocks, missing_blocks="mask", **known)
    with pytest.raises(DataError, match="'meth' .DataFrame. has no samples.*missing_blocks='mask' .* can do"):
        load_dataset(blocks, **known)


def test_new_samples_are_read_as_the_model_reads_them() -> None:
    data = joined(missing_blocks="mask")
    known = {"genes": data.feature_names, "blocks": data.blocks}
    new = CLINICAL.assign(sex="f", grade="9")
    with pytest.warns(
        UserWarning, match="'grade' has values that training did not.*: 9. Training had 1, 2, 3"
    ):
        found = load_dataset({"clinical": new, "rna": RNA[list("dcba")]}, missing_blocks="mask", **known)
    assert found.feature_names == data.feature_names
    np.testing.assert_allclose(found.x[:, :4], RNA, rtol=1e-6)
    assert np.isnan(found.x[:, 4:7]).all() and found.x[:, 8].sum() == 12
    with pytest.raises(
        DataError, match="the model reads the blocks rna, meth, clinical, and 'meth' is missing"
    ):
        load_dataset({"rna": RNA, "clinical": CLINICAL}, **known)
    with pytest.raises(
        DataError, match="2 of 12 samples lack a block that the model reads: meth .2: s0, s1."
    ):
        load_dataset({"rna": RNA, "meth": METH, "clinical": CLINICAL}, **known)


@pytest.mark.parametrize("blocks", [True, False])
def test_numbers_that_are_text_in_new_samples_are_named_as_such(blocks: bool) -> None:
    smokes = RNA.assign(smoker=LABELS == 1)
    text = smokes.assign(smoker=smokes["smoker"].astype(str))
    training, new = ({"rna": METH, "c": x} if blocks else x for x in (smokes, text))
    data = load_dataset(training)
    with pytest.raises(DataError, match="'smoker' held numbers in training and is text now .'False', 'True'"):
        load_dataset(new, genes=data.feature_names, blocks=data.blocks)


def test_a_block_that_the_model_does_not_read_is_warned_of() -> None:
    data = load_dataset({"rna": RNA, "clinical": CLINICAL})
    with pytest.warns(UserWarning, match="does not read 'meth', which plays no part: it reads rna, clinical"):
        load_dataset(
            {"rna": RNA, "meth": METH, "clinical": CLINICAL}, genes=data.feature_names, blocks=data.blocks
        )


def test_new_samples_have_two_of_the_blocks_that_are_given() -> None:
    data = joined(missing_blocks="mask")
    known: dict[str, Any] = {"genes": data.feature_names, "blocks": data.blocks, "missing_blocks": "mask"}
    apart = {"rna": RNA[:4], "meth": METH[:4], "clinical": CLINICAL[4:7]}
    with pytest.raises(DataError, match="no sample is in two of rna, meth, clinical. Blocks are joined"):
        load_dataset(apart, **known)
    with pytest.warns(
        UserWarning, match="11 of 12 samples lack a block, .*: rna .8: .*; clinical .3: s0, s1, s2."
    ):
        load_dataset({"rna": RNA[:4], "clinical": CLINICAL[3:]}, **known)


def test_a_block_can_be_missing_where_samples_go_by_position() -> None:
    blocks = {"rna": RNA.to_numpy(), "meth": np.random.default_rng(1).normal(size=(12, 3))}
    data = load_dataset(blocks, missing_blocks="mask")
    known: dict[str, Any] = {
        "genes": data.feature_names,
        "blocks": data.blocks,
        "missing_blocks": "mask",
    }
    for name, columns in (("meth", slice(4, 7)), ("rna", slice(0, 4))):
        found = load_dataset({key: x for key, x in blocks.items() if key != name}, **known)
        assert found.present is not None and found.present.sum(axis=0).tolist() == (
            [12, 0] if name == "meth" else [0, 12]
        )
        assert np.isnan(found.x[:, columns]).all() and np.isnan(found.x).sum() == found.x[:, columns].size
        assert any("0 of 12 samples are in all blocks" in note for note in found.notes)


def test_a_block_under_another_spelling_is_not_taken_for_a_missing_one() -> None:
    data = joined(missing_blocks="mask")
    with pytest.raises(DataError, match="'meth' is missing: got rna, Meth, clinical. Did you mean 'Meth'?"):
        load_dataset(
            {"rna": RNA, "Meth": METH, "clinical": CLINICAL},
            genes=data.feature_names,
            blocks=data.blocks,
            missing_blocks="mask",
        )


def test_files_and_sparse_matrices_are_blocks_too(tmp_path: Path) -> None:
    RNA.to_csv(tmp_path / "rna.tsv", sep="\t")
    CLINICAL.assign(kind=["t", "n"] * 6).to_csv(tmp_path / "clinical.csv")
    data = load_dataset({"rna": tmp_path / "rna.tsv", "clinical": str(tmp_path / "clinical.csv")}, "kind")
    assert data.y is not None and data.y.tolist() == ["t", "n"] * 6
    assert "clinical:kind=t" not in data.feature_names and "clinical:sex=m" in data.feature_names
    counts = load_dataset({"a": sparse.random(6, 4, 0.5, format="csr", rng=0), "b": np.ones((6, 2))})
    assert sparse.issparse(counts.x) and counts.feature_names[-1] == "b:feature_1" and not counts.ids_given


@pytest.mark.parametrize(
    ("blocks", "message"),
    [
        (
            {"rna": RNA, "meth": METH.set_axis([f"t{i}" for i in range(10)])},
            "meth has t0, t1, t2, t3, t4, and 5",
        ),
        (
            {"rna": RNA, "copy": RNA.copy()},
            "the blocks 'rna' .DataFrame. and 'copy' .DataFrame. hold the same",
        ),
        ({"rna": RNA, "meth": METH[["a"]]}, "the block 'meth' .DataFrame. has one column, 'a': expected two"),
        ({"rna": RNA, "meth": METH.to_numpy()}, "same number of rows; got rna 12, meth 10"),
        ({"rna": RNA.to_numpy(), "meth": METH.to_numpy()}, "same number of rows"),
    ],
)
def test_blocks_that_cannot_be_joined(blocks: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        load_dataset(blocks)


def test_names_of_blocks_are_checked() -> None:
    with pytest.raises(ParameterError, match="the name of a block begins with"):
        load_dataset({"r/na": RNA})
    with pytest.raises(ParameterError, match="must differ in letters or digits"):
        load_dataset({"r-na": RNA, "r na": METH})
    with pytest.raises(DataError, match="expected 12, got 10"):
        load_dataset({"rna": RNA, "meth": METH}, LABELS[:10])
