"""The commands end to end, on one small run."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner, Result

from genokeras.cli import main

GENES = [f"gene_{i}" for i in range(40)]


def small_table() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    labels = np.where(np.arange(30) % 2, "ill", "well")
    x = rng.normal(size=(30, 40)) + 1.5 * (labels == "ill")[:, None] * (np.arange(40) < 5)
    table = pd.DataFrame(x, columns=GENES)
    table.insert(0, "sample", [f"S{i:02d}" for i in range(30)])
    table.insert(1, "label", labels)
    return table


@dataclass(frozen=True)
class Fitted:
    data: Path
    run: Path
    result: Result


def genokeras(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def succeeded(*arguments: object) -> str:
    result = genokeras(*arguments)
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.fixture(scope="module")
def fitted(tmp_path_factory: pytest.TempPathFactory) -> Fitted:
    folder = tmp_path_factory.mktemp("cli")
    data, run = folder / "small.csv", folder / "run"
    small_table().to_csv(data, index=False)
    result = genokeras("fit", data, "--target", "label", "--max-trials", 4, "--seed", 1, "--out", run)
    return Fitted(data, run, result)


# ---- fit


def test_fit_prints_score_baseline_leaderboard_and_paths(fitted: Fitted) -> None:
    assert fitted.result.exit_code == 0, fitted.result.output
    text = fitted.result.stdout
    for part in ("95 % interval", "Best linear model alone", "chance", "best of 4 trials", "network on"):
        assert part in text
    for part in ("None of the 4 trials was grown by morphism",):
        assert part in text
    for name in ("best.keras", "best.json"):
        assert str(fitted.run / name) in text and (fitted.run / name).is_file()


def test_fit_prints_what_was_found_about_the_data(fitted: Fitted) -> None:
    assert "- The sample ids were taken from the column 'sample'." in fitted.result.stdout


def test_what_is_repaired_when_a_run_is_opened_is_said_in_a_sentence(fitted: Fitted, tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(fitted.run, run)
    (run / "best.keras").unlink()
    result = genokeras("predict", run, fitted.data, "--out", tmp_path / "p.csv")
    assert result.exit_code == 0 and "best.keras" in result.stderr
    assert "UserWarning" not in result.stderr and ".py:" not in result.stderr


def test_the_progress_of_fit_goes_to_standard_error(fitted: Fitted) -> None:
    assert fitted.result.stderr.startswith("Searching for 4 trials; log loss, lower is better.\n")
    assert "Searching" not in fitted.result.stdout


def test_trials_alone_set_no_time_limit(fitted: Fitted) -> None:
    assert json.loads((fitted.run / "run.json").read_text())["time_limit"] is None


def test_quiet_prints_nothing_and_resume_goes_on(fitted: Fitted, tmp_path: Path) -> None:
    options = ("--target", "label", "--seed", 1, "--out", tmp_path / "run", "--quiet")
    for arguments in (("--max-trials", 1), ("--max-trials", 2, "--resume")):
        result = genokeras("fit", fitted.data, *options, *arguments)
        assert (result.exit_code, result.output) == (0, "")
    assert len(list((tmp_path / "run" / "trials").iterdir())) == 2


def test_memory_and_what_is_kept_are_limited_by_options(
    fitted: Fitted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Few trials have a share where few may be delivered.
    monkeypatch.setattr("genokeras.engine.delivery_time.DeliveryTime.members", lambda *_: 1)
    run = tmp_path / "run"
    options = ("fit", fitted.data, "--target", "label", "--max-trials", 4, "--seed", 1, "--out", run, "-q")
    refused = genokeras(*options, "--memory-limit", "much")
    assert refused.exit_code == 2 and "a text such as \"4 GB\", got 'much'" in refused.stderr
    assert not run.exists()
    succeeded(*options, "--memory-limit", "4 GB", "--keep", "best")
    assert 0 < len(list(run.glob("trials/*/weights.npz"))) < 4
    assert succeeded("predict", run, fitted.data).count("\n") == 31


def test_genes_in_rows_are_turned_round(fitted: Fitted, tmp_path: Path) -> None:
    table = small_table().set_index("sample")
    table[GENES].T.to_csv(tmp_path / "genes_in_rows.csv")
    table[["label"]].to_csv(tmp_path / "labels.csv")
    data, labels, run = tmp_path / "genes_in_rows.csv", tmp_path / "labels.csv", tmp_path / "run"
    succeeded("fit", data, "--target", labels, "--transposed", "--max-trials", 1, "--out", run, "-q")
    turned = succeeded("predict", run, data, "--transposed")
    assert turned == succeeded("predict", run, fitted.data)


def test_another_delimiter_can_be_named(fitted: Fitted, tmp_path: Path) -> None:
    small_table().to_csv(tmp_path / "semicolons.csv", index=False, sep=";")
    named = succeeded("predict", fitted.run, tmp_path / "semicolons.csv", "--delimiter", ";")
    assert named == succeeded("predict", fitted.run, fitted.data)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--target", "lable"), "label"),
        (("--target", "label", "--objective", "r2"), "to predict classes: got r2"),
        (("--target", "label", "--time-limit", "-1"), "time_limit"),
    ],
)
def test_mistakes_are_one_message_and_leave_nothing_behind(
    fitted: Fitted, tmp_path: Path, options: tuple[str, ...], message: str
) -> None:
    result = genokeras("fit", fitted.data, "--out", tmp_path / "run", *options)
    assert result.exit_code == 2 and result.stdout == ""
    assert (
        result.stderr.startswith("Error: ") and message in result.stderr and "Traceback" not in result.stderr
    )
    assert not (tmp_path / "run").exists()


def test_a_folder_that_holds_another_run_is_kept(fitted: Fitted) -> None:
    before = (fitted.run / "run.json").read_bytes()
    result = genokeras("fit", fitted.data, "--target", "label", "--max-trials", 1, "--out", fitted.run)
    assert result.exit_code == 2 and "holds another run" in result.stderr
    assert (fitted.run / "run.json").read_bytes() == before


# ---- predict and evaluate


def test_predict_prints_samples_and_their_classes(fitted: Fitted) -> None:
    found = pd.read_csv(io.StringIO(succeeded("predict", fitted.run, fitted.data)))
    assert list(found.columns) == ["sample", "prediction"]
    assert found["sample"].tolist() == small_table()["sample"].tolist()
    assert (found["prediction"] == small_table()["label"]).mean() > 0.8


def test_probabilities_have_a_column_per_class_and_agree_with_the_prediction(fitted: Fitted) -> None:
    found = pd.read_csv(io.StringIO(succeeded("predict", fitted.run, fitted.data, "--probabilities")))
    assert list(found.columns) == ["sample", "prediction", "ill", "well"]
    assert np.allclose(found[["ill", "well"]].sum(axis=1), 1.0, atol=1e-5)
    assert (found[["ill", "well"]].idxmax(axis=1) == found["prediction"]).all()


def test_predictions_go_to_a_file_where_asked(fitted: Fitted, tmp_path: Path) -> None:
    assert succeeded("predict", fitted.run, fitted.data, "--out", tmp_path / "predictions.csv") == ""
    assert len(pd.read_csv(tmp_path / "predictions.csv")) == 30


def test_ids_are_text_in_a_spreadsheet_and_in_a_terminal(fitted: Fitted, tmp_path: Path) -> None:
    table = small_table().head(3).assign(sample=["=1+1", "S\x1b[31m", "-S3"])
    table.to_csv(tmp_path / "named.csv", index=False)
    predicted = succeeded("predict", fitted.run, tmp_path / "named.csv")
    assert [line.split(",")[0] for line in predicted.splitlines()[1:]] == ["'=1+1", r"S\x1b[31m", "'-S3"]
    table.assign(gene_3=["1", "2", "\x1b[2J"]).to_csv(tmp_path / "named.csv", index=False)
    refused = genokeras("predict", fitted.run, tmp_path / "named.csv")
    assert refused.exit_code == 2 and "\x1b" not in refused.output and r"\x1b[" in refused.output


def test_a_place_for_predictions_that_cannot_be_written_is_a_message(fitted: Fitted, tmp_path: Path) -> None:
    result = genokeras("predict", fitted.run, fitted.data, "--out", fitted.data / "predictions.csv")
    assert result.exit_code == 2 and "predictions.csv" in result.stderr and "Traceback" not in result.stderr


def test_missing_genes_are_listed(fitted: Fitted, tmp_path: Path) -> None:
    small_table().drop(columns=["gene_7"]).to_csv(tmp_path / "fewer.csv", index=False)
    result = genokeras("predict", fitted.run, tmp_path / "fewer.csv")
    assert result.exit_code == 2 and "gene_7" in result.stderr


def test_evaluate_prints_every_score(fitted: Fitted) -> None:
    text = succeeded("evaluate", fitted.run, fitted.data, "--target", "label")
    names = [line[:18].strip() for line in text.splitlines()]
    assert names == ["accuracy", "balanced accuracy", "log loss", "ROC AUC", "F1", "MCC"]


def test_evaluate_remembers_the_target_of_fit(fitted: Fitted, tmp_path: Path) -> None:
    told = succeeded("evaluate", fitted.run, fitted.data, "--target", "label")
    assert succeeded("evaluate", fitted.run, fitted.data) == told
    renamed = small_table().rename(columns={"label": "state"})
    renamed.to_csv(tmp_path / "renamed.csv", index=False)
    result = genokeras("evaluate", fitted.run, tmp_path / "renamed.csv")
    assert result.exit_code == 2 and "--target 'label' is neither a column" in result.stderr
    assert succeeded("evaluate", fitted.run, tmp_path / "renamed.csv", "--target", "state") == told


def test_a_file_of_labels_is_remembered_from_every_folder(
    fitted: Fitted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = small_table().rename(columns={"label": "state"})
    table[["sample", "state"]].to_csv(tmp_path / "clinical.csv", index=False)
    table.drop(columns="state").to_csv(tmp_path / "genes.csv", index=False)
    monkeypatch.chdir(tmp_path)
    succeeded("fit", "genes.csv", "--target", "clinical.csv:state", "--max-trials", 1, "--out", "run", "-q")
    monkeypatch.chdir("run")
    assert "balanced accuracy" in succeeded("evaluate", tmp_path / "run", tmp_path / "genes.csv")


def test_evaluate_as_json_is_json_also_where_a_score_is_undefined(fitted: Fitted, tmp_path: Path) -> None:
    small_table().query("label == 'ill'").to_csv(tmp_path / "ill.csv", index=False)
    scores = json.loads(
        succeeded("evaluate", fitted.run, tmp_path / "ill.csv", "--target", "label", "--json")
    )
    assert scores["roc_auc"] is None and scores["accuracy"] > 0.5


# ---- leaderboard, export, visualize


def test_the_leaderboard_fits_80_columns_in_a_pipe(fitted: Fitted) -> None:
    text = succeeded("leaderboard", fitted.run)
    assert max(map(len, text.splitlines())) <= 80 and "\x1b" not in text and "linear" in text


def test_the_leaderboard_can_be_cut_and_says_so(fitted: Fitted) -> None:
    assert "... and 2 more: --top 4 shows all" in succeeded("leaderboard", fitted.run, "--top", 2)


def test_the_leaderboard_as_csv_has_every_column(fitted: Fitted) -> None:
    board = pd.read_csv(io.StringIO(succeeded("leaderboard", fitted.run, "--csv")))
    assert len(board) == 4 and {"rank", "model_id", "score", "se", "gap", "learning_rate", "share"} <= set(
        board.columns
    )


def test_export_writes_a_model_that_predicts_what_predict_says(fitted: Fitted, tmp_path: Path) -> None:
    text = succeeded("export", fitted.run, tmp_path / "model.keras")
    assert str(tmp_path / "model.keras") in text and str(tmp_path / "model.json") in text
    model = keras.saving.load_model(tmp_path / "model.keras")
    found = pd.read_csv(io.StringIO(succeeded("predict", fitted.run, fitted.data, "--probabilities")))
    expected = found[["ill", "well"]].to_numpy()
    # The table was rounded on its way through csv by nothing but float printing.
    x = pd.read_csv(fitted.data)[GENES].to_numpy(dtype="float32")
    assert np.allclose(keras.ops.convert_to_numpy(model(x)), expected, atol=1e-5)


def test_visualize_says_where_the_drawings_are(fitted: Fitted) -> None:
    text = succeeded("visualize", fitted.run)
    drawings = list((fitted.run / "drawings").iterdir())
    assert drawings and str(fitted.run / "drawings") in text


@pytest.mark.parametrize("command", ["leaderboard", "visualize"])
def test_a_folder_without_a_run_is_a_message(tmp_path: Path, command: str) -> None:
    result = genokeras(command, tmp_path)
    assert result.exit_code == 2 and "not a run folder" in result.stderr


# ---- as a process of its own


@pytest.fixture(scope="module")
def closed_pipe(fitted: Fitted) -> subprocess.CompletedProcess[str]:
    """``genokeras leaderboard RUN | head -1``: the reader is gone before the first line."""
    code = "from genokeras.cli import main; main(prog_name='genokeras')"
    process = subprocess.Popen(
        [sys.executable, "-c", code, "leaderboard", str(fitted.run)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None and process.stderr is not None
    process.stdout.close()
    with process.stderr as stderr:
        said = stderr.read()
    return subprocess.CompletedProcess(process.args, process.wait(), stderr=said)


def test_neither_a_closed_pipe_nor_the_backend_says_anything(
    closed_pipe: subprocess.CompletedProcess[str],
) -> None:
    assert closed_pipe.stderr == ""


def test_a_closed_pipe_ends_with_exit_code_1(closed_pipe: subprocess.CompletedProcess[str]) -> None:
    assert closed_pipe.returncode == 1


def test_the_module_runs_as_the_command_does() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "genokeras", "--version"], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("genokeras, version ")
