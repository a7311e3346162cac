"""Several assays of the same samples through the one estimator: fitted, judged alone and together, delivered with an input for each."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd
import pytest

from genokeras import GenomeClassifier, load_dataset
from genokeras.engine.block_estimates import block_estimates
from genokeras.errors import DataError, ParameterError
from genokeras.estimators import gene_content
from genokeras.report.blocks import block_rows

# Eight patients have no methylation.
pytestmark = pytest.mark.filterwarnings("ignore:.* samples lack a block")

N = 48
IDS = [f"P{i:02d}" for i in range(N)]


def made() -> tuple[dict[str, pd.DataFrame], np.ndarray]:
    rng = np.random.default_rng(0)
    y = np.array(["no", "yes"])[np.arange(N) % 2]
    rna = pd.DataFrame(np.exp(rng.normal(5, 1, (N, 60))), index=IDS, columns=[f"G{i}" for i in range(60)])
    rna.loc[y == "yes", [f"G{i}" for i in range(12)]] *= 6
    meth = pd.DataFrame(rng.uniform(size=(N, 24)), index=IDS, columns=[f"cg{i}" for i in range(24)])
    clinical = pd.DataFrame({"age": rng.normal(60, 9, N), "sex": ["f", "m", None] * (N // 3)}, index=IDS)
    return {"rna": rna, "meth": meth.iloc[::-1].iloc[:40], "clinical": clinical}, y


BLOCKS, Y = made()


@pytest.fixture(scope="module")
def fitted(tmp_path_factory: pytest.TempPathFactory) -> GenomeClassifier:
    path = tmp_path_factory.mktemp("blocks") / "run"
    clf = GenomeClassifier(
        path, time_limit=None, max_trials=14, random_state=0, verbose=0, missing_blocks="mask"
    )
    return clf.fit(BLOCKS, Y)


def test_each_block_has_views_of_its_own_and_the_leaderboard_says_which_a_network_reads(
    fitted: GenomeClassifier,
) -> None:
    read = set("+".join(fitted.leaderboard()["views"]).split("+"))
    assert {"all", "rna/all", "meth/all", "clinical/all"} <= read
    assert "all blocks" in set(fitted.leaderboard()["blocks"]) and "meth" in set(
        fitted.leaderboard()["blocks"]
    )
    views = fitted._run.problem.widths
    assert "rna/log" in views and not any(
        v.startswith("meth/log") or v.startswith("clinical/log") for v in views
    )
    assert any("lack one have its training means in place: meth (8: P" in note for note in fitted.notes_)


def test_the_model_has_an_input_for_each_block(fitted: GenomeClassifier, tmp_path: Path) -> None:
    path = fitted.export_keras_model(tmp_path / "model.keras")
    model = keras.saving.load_model(path, compile=False)
    assert [tensor.name for tensor in model.inputs] == ["rna", "meth", "clinical"]
    sex = BLOCKS["clinical"]["sex"]
    arrays = {
        "rna": BLOCKS["rna"].to_numpy("float32"),
        "meth": BLOCKS["meth"].reindex(IDS).to_numpy("float32"),
        "clinical": np.stack(
            [BLOCKS["clinical"]["age"], sex == "f", sex == "m", sex.isna()], axis=1, dtype="float32"
        ),
    }
    np.testing.assert_allclose(model.predict(arrays, verbose=0), fitted.predict_proba(BLOCKS), atol=1e-5)


@pytest.mark.slow
def test_other_formats_have_these_inputs_too(fitted: GenomeClassifier, tmp_path: Path) -> None:
    assert fitted.export_keras_model(tmp_path / "saved", "tf_saved_model").is_dir()


def test_a_sample_without_a_block_is_answered_by_the_others(fitted: GenomeClassifier) -> None:
    whole = fitted.predict_proba(BLOCKS)
    part = fitted.predict_proba({name: BLOCKS[name] for name in ("rna", "clinical")})
    without = [i for i, name in enumerate(IDS) if name not in BLOCKS["meth"].index]
    np.testing.assert_allclose(part[without], whole[without], atol=1e-6)
    encoder = fitted._run.problem.encoder
    z = fitted._run.problem.rows["meth/all"][without]
    np.testing.assert_allclose(z, 0, atol=1e-5)  # its training means, standardised
    assert encoder.sidecar()["inputs"]["clinical"] == ["age", "sex=f", "sex=m", "sex=missing"]  # type: ignore[attr-defined]


def test_new_samples_that_share_no_id_are_refused_and_those_that_lack_a_block_warned_of(
    fitted: GenomeClassifier,
) -> None:
    meth, rna = BLOCKS["meth"], BLOCKS["rna"].loc[BLOCKS["meth"].index]
    apart = meth.rename(index=lambda name: f"{name}_meth")
    with pytest.raises(DataError, match="no sample is in all of rna, meth. Blocks are joined by sample id"):
        fitted.predict({"rna": rna, "meth": apart})
    with pytest.warns(UserWarning, match="10 of 45 samples lack a block, .*: rna .5: .*; meth .5: .*"):
        assert len(fitted.predict({"rna": rna, "meth": pd.concat([meth[5:], apart[:5]])})) == 45


def test_a_sample_with_nothing_but_gaps_in_a_block_is_answered_by_the_others(
    fitted: GenomeClassifier,
) -> None:
    blank = BLOCKS["rna"].copy()
    blank.iloc[:3] = np.nan
    answers = fitted.predict_proba({**BLOCKS, "rna": blank})
    # Samples that the first block lacks come behind those that it has.
    without = fitted.predict_proba({**BLOCKS, "rna": BLOCKS["rna"].iloc[3:]})
    np.testing.assert_allclose(np.roll(answers, -3, axis=0), without, atol=1e-6)


def test_it_is_saved_loaded_and_resumed(fitted: GenomeClassifier, tmp_path: Path) -> None:
    again = GenomeClassifier.load(fitted.save(tmp_path / "copy"))
    assert again.missing_blocks == "mask"
    np.testing.assert_allclose(again.predict_proba(BLOCKS), fitted.predict_proba(BLOCKS), atol=1e-6)
    more = GenomeClassifier(
        tmp_path / "copy",
        time_limit=None,
        max_trials=15,
        resume=True,
        random_state=0,
        verbose=0,
        missing_blocks="mask",
    )
    assert more.fit(BLOCKS, Y).n_trials_ == 15


def test_blocks_are_judged_alone_and_together(fitted: GenomeClassifier) -> None:
    table = fitted.block_estimates()
    assert table["block"].tolist() == ["all together", "rna", "meth", "clinical"]
    assert table["value"][0] == pytest.approx(fitted.estimate_["value"], abs=0.03)
    gain = table.set_index("block")
    assert gain.loc["meth", "gain"] > gain.loc["rna", "gain"]
    assert (gain["gain_low"][1:] <= gain["gain"][1:]).all() and gain.loc["meth", "gain_low"] > 0


def test_in_few_groups_no_gain_has_an_interval(tmp_path: Path) -> None:
    clf = GenomeClassifier(tmp_path / "run", time_limit=None, max_trials=8, random_state=0, verbose=0)
    whole = {name: BLOCKS[name].loc[IDS[8:]] for name in ("rna", "meth")}
    clf.fit(whole, Y[8:], groups=np.arange(40) // 2 % 4)
    table = clf.block_estimates()
    assert table[["low", "high", "gain_low", "gain_high"]].isna().all(axis=None)
    assert table["gain"][1:].notna().all() and "is not certain" in table["says"][1]
    assert all(row[4] == "–" for row in block_rows(block_estimates(clf._run)))


def test_an_explanation_adds_up_by_block(fitted: GenomeClassifier) -> None:
    found = fitted.explain(BLOCKS, num_samples=12)
    by_block = found.by_block()
    assert list(by_block.index) == ["rna", "meth", "clinical"]
    assert by_block.loc["rna"].min() > by_block.loc["meth"].max()
    assert found.feature_names[0] == "rna:G0"
    shap = fitted.explain(BLOCKS, num_samples=2, method="integrated_gradients")
    assert shap.blocks[-1] == "clinical"


def test_the_report_and_the_card_answer_whether_a_block_pays(
    fitted: GenomeClassifier, tmp_path: Path
) -> None:
    page = fitted.report(tmp_path / "r.html", explain=False).read_text(encoding="utf-8")
    assert "What each block is worth" in page and "rna alone" in page
    card = (tmp_path / "r_model_card.md").read_text(encoding="utf-8")
    assert "rna alone" in card and 'about["inputs"]' in card


def test_a_final_fit_reads_the_same_blocks(fitted: GenomeClassifier, tmp_path: Path) -> None:
    again = GenomeClassifier.load(fitted.save(tmp_path / "copy"))
    again.final_fit(BLOCKS, Y, BLOCKS, Y)
    assert again.final_evaluation_["accuracy"] > 0.9


@pytest.mark.parametrize(
    ("x", "error", "message"),
    [
        (
            {"rna": BLOCKS["rna"].rename(columns={"G3": "H"})},
            DataError,
            "1 of the 88 genes .* missing in blocks: rna:G3",
        ),
        ({"mirna": BLOCKS["rna"]}, DataError, "the model reads the blocks rna, meth, clinical"),
    ],
)
def test_new_samples_need_the_genes_of_their_blocks(
    fitted: GenomeClassifier, x: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        fitted.predict(x)


def test_missing_blocks_is_drop_or_mask() -> None:
    held = load_dataset(BLOCKS, Y, missing_blocks="mask")
    with pytest.raises(DataError, match="8 of 48 samples lack a block. Fit with missing_blocks='mask'"):
        GenomeClassifier(max_trials=1).fit(held)
    with pytest.raises(ParameterError, match="missing_blocks"):
        GenomeClassifier(max_trials=1, missing_blocks="keep").fit(BLOCKS, Y)


def test_views_of_blocks_that_there_is_no_time_for_are_left_out_and_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gene_content, "room_for_views", lambda *limits: lambda seconds: False)
    clf = GenomeClassifier(tmp_path / "run", time_limit=60, max_trials=2, random_state=0, verbose=0)
    clf.fit(BLOCKS, Y)
    whole = {name: block.loc[list(BLOCKS["meth"].index)] for name, block in BLOCKS.items()}
    assert clf.predict(whole).shape == (40,)
    (note,) = (note for note in clf.notes_ if "were left out, because" in note)
    assert "rna/all" in note and "paired" not in note
