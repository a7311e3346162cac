"""``genokeras predict model.keras new.tsv``: the exported file and its JSON alone answer as the run does."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner, Result

from genokeras import GenomeClassifier, GenomeRegressor, GenomeSurvival, SequenceClassifier, TextClassifier
from genokeras.cli import main
from genokeras.errors import ExportError, NewerFormatError
from genokeras.estimators.exported import load_exported
from tests.encoders.planted import opinions
from tests.processes import run_on

QUICK: dict[str, Any] = {"time_limit": None, "max_trials": 2, "folds": 3, "random_state": 0, "verbose": 0}
GENES = [f"gene_{i}" for i in range(14)]


def expression(n: int = 36, seed: int = 0) -> pd.DataFrame:
    x = np.random.default_rng(seed).normal(8, 2, size=(n, 14))
    return pd.DataFrame(x, columns=GENES, index=pd.Index([f"S{i:02d}" for i in range(n)], name="sample"))


def genokeras(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def answered(*arguments: object) -> str:
    result = genokeras("predict", *arguments)
    assert result.exit_code == 0, result.output
    return result.stdout


def alone(estimator: Any, folder: Path, **more: Any) -> Path:
    """The export, where nothing else is."""
    made = estimator.export_keras_model(folder / "made" / "model.keras", **more)
    (folder / "alone").mkdir()
    for name in ("model.keras", "model.json"):
        shutil.copy(made.with_name(name), folder / "alone" / name)
    return folder / "alone" / "model.keras"


@pytest.fixture(scope="module")
def classifier(tmp_path_factory: pytest.TempPathFactory) -> GenomeClassifier:
    x = expression()
    y = np.where(x["gene_0"] + x["gene_1"] > 16, "ill", "=well")
    x.iloc[3, 2] = np.nan
    path = tmp_path_factory.mktemp("runs") / "run"
    return GenomeClassifier(
        path, missing="median", threshold={"class": "ill", "sensitivity": 0.8}, **QUICK
    ).fit(x, y)


@pytest.fixture(scope="module")
def exported(classifier: GenomeClassifier, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return alone(classifier, tmp_path_factory.mktemp("exported"))


@pytest.fixture(scope="module")
def new(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Genes in another order, one more than was learnt, and a gap."""
    table = expression(9, seed=1)[GENES[::-1]].assign(extra_gene=1.0)
    table.iloc[2, 4] = np.nan
    path = tmp_path_factory.mktemp("new") / "new.tsv"
    table.to_csv(path, sep="\t")
    return path


def test_classes_by_threshold_and_probabilities_are_those_of_the_run(
    classifier: GenomeClassifier, exported: Path, new: Path
) -> None:
    assert answered(exported, new) == answered(classifier.path_, new)
    asked = (new, "--probabilities")
    found = answered(exported, *asked)
    assert found == answered(classifier.path_, *asked) and found.startswith("sample,prediction,'=well,ill\n")


def test_numbers_are_those_of_the_run(tmp_path: Path, new: Path) -> None:
    x = expression()
    y = pd.DataFrame({"age": x["gene_0"] * 4, "bmi": x["gene_1"]})
    reg = GenomeRegressor(tmp_path / "run", **QUICK).fit(x, y)
    table = pd.read_csv(new, sep="\t").fillna(8.0)
    table.to_csv(tmp_path / "whole.csv", index=False)
    found = answered(alone(reg, tmp_path), tmp_path / "whole.csv")
    assert found == answered(reg.path_, tmp_path / "whole.csv") and found.startswith("sample,age,bmi\n")


@pytest.mark.parametrize("task", ["cox", pytest.param("hazard", marks=pytest.mark.slow)])
def test_risks_and_survival_are_those_of_the_run(tmp_path: Path, task: str) -> None:
    x, rng = expression(48), np.random.default_rng(1)
    days = 100 * rng.exponential(np.exp(x["gene_0"] - 8)) + 0.5
    table = x.assign(days=days, dead=(rng.random(48) < 0.7).astype(int))
    model = GenomeSurvival(tmp_path / "run", task=task, **QUICK).fit(table, time="days", event="dead")
    expression(7, seed=2).to_csv(tmp_path / "new.csv")
    asked = (tmp_path / "new.csv", "--survival-at", 50, "--survival-at", 200)
    file = alone(model, tmp_path)
    assert answered(file, *asked) == answered(model.path_, *asked)
    model.export_keras_model(file, times=[50, 200])
    answered(model.path_, *asked, "--out", tmp_path / "run.csv")
    answered(file, asked[0], "--out", tmp_path / "own.csv")
    run, own = (pd.read_csv(tmp_path / name) for name in ("run.csv", "own.csv"))
    assert list(own) == ["sample", "survival_50", "survival_200"]
    np.testing.assert_allclose(own["survival_200"], run["survival_200"], rtol=1e-4)


def test_blocks_with_categories_and_dropped_columns_are_read_as_by_the_run(tmp_path: Path) -> None:
    x = expression()
    clinical = pd.DataFrame(
        {"sex": np.where(np.arange(36) % 3, "f", "m"), "age": np.arange(36.0)}, index=x.index
    )
    clf = GenomeClassifier(tmp_path / "run", drop_columns=["age"], **QUICK)
    clf.fit({"rna": x, "clinical": clinical}, np.where(x["gene_0"] > 8, "a", "b"))
    expression(6, seed=3).to_csv(tmp_path / "rna.csv")
    clinical.iloc[:6].to_csv(tmp_path / "clinical.csv")
    blocks = ("--block", f"rna={tmp_path / 'rna.csv'}", "--block", f"clinical={tmp_path / 'clinical.csv'}")
    file = alone(clf, tmp_path)
    assert answered(file, *blocks, "--probabilities") == answered(clf.path_, *blocks, "--probabilities")


@pytest.mark.slow
def test_sequences_and_labels_are_those_of_the_run(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    sequences = ["".join(rng.choice(list("ACGT"), 30)) for _ in range(40)]
    y = np.array(["TATA"[: 1 + i % 4] in s for i, s in enumerate(sequences)])
    clf = SequenceClassifier(tmp_path / "run", **QUICK).fit(sequences, y)
    (tmp_path / "new.fa").write_text("".join(f">s{i}\n{s}\n" for i, s in enumerate(sequences[:6])))
    file, asked = alone(clf, tmp_path), (tmp_path / "new.fa", "--probabilities")
    assert answered(file, *asked) == answered(clf.path_, *asked)
    x = expression()
    labels = pd.DataFrame({"a": x["gene_0"] > 8, "b": x["gene_1"] > 8}).astype(int)
    several = GenomeClassifier(tmp_path / "labels", **QUICK).fit(x, labels)
    x.to_csv(tmp_path / "x.csv")
    several.export_keras_model(file)
    asked = (tmp_path / "x.csv", "--probabilities")
    assert answered(file, *asked) == answered(several.path_, *asked)


@pytest.fixture(scope="module")
def texts(tmp_path_factory: pytest.TempPathFactory) -> TextClassifier:
    quick = {"fathers": ["small_text_cnn"], "trainer_args": {"max_iter_num": 3}}
    path = tmp_path_factory.mktemp("texts") / "run"
    return TextClassifier(path, searcher_args=quick, **QUICK).fit(*opinions(60))


def test_texts_need_their_words_from_the_model_alone(texts: TextClassifier, tmp_path: Path) -> None:
    file, new = alone(texts, tmp_path), tmp_path / "new.csv"
    x, _ = opinions(8, seed=1)
    pd.DataFrame({"id": [*"abcdefghi"], "text": [*x, ""]}).to_csv(new, index=False)
    found = answered(file, new, "--probabilities")
    with pytest.warns(UserWarning, match="1 text has no word that .*: i. Such an answer"):
        known = answered(texts.path_, new, "--probabilities")
    assert found == known and found.count("\n") == 10
    about = json.loads(file.with_suffix(".json").read_text())
    assert about["inputs"] == {"texts": "strings"} and "encoder" not in about


JAX_TEXTS = """
import sys, numpy as np
from genokeras.estimators import TextClassifier
from genokeras.estimators.exported import load_exported
from tests.encoders.planted import opinions
folder = sys.argv[1]
quick = {"fathers": ["small_text_cnn"], "trainer_args": {"max_iter_num": 3}}
clf = TextClassifier(folder + "/run", time_limit=None, max_trials=5, folds=2, searcher_args=quick, random_state=0, verbose=0)
clf.fit(*opinions(60))
file = clf.export_keras_model(folder + "/alone/model.keras")
x, _ = opinions(8, seed=1)
np.save(folder + "/p.npy", clf.predict_proba(x))
np.testing.assert_array_equal(load_exported(file).predict_proba(x), clf.predict_proba(x))
try:
    load_exported(sys.argv[2]).predict_proba(x)
except Exception as error:
    print(type(error).__name__, error)
"""


@pytest.mark.slow
def test_texts_of_another_backend_are_answered_or_what_they_need_is_said(
    texts: TextClassifier, tmp_path: Path
) -> None:
    of_strings = texts.export_keras_model(tmp_path / "strings.keras")
    printed = run_on("jax", JAX_TEXTS, tmp_path, of_strings)
    assert "ParameterError this model was made on TensorFlow and reads strings" in printed
    x, _ = opinions(8, seed=1)
    expected = np.load(tmp_path / "p.npy")
    for model in (load_exported(tmp_path / "alone" / "model.keras"), TextClassifier.load(tmp_path / "run")):
        np.testing.assert_allclose(model.predict_proba(x), expected, atol=1e-4)


def test_texts_whose_words_nobody_has_are_refused(texts: TextClassifier, tmp_path: Path) -> None:
    file = texts.export_keras_model(tmp_path / "given" / "model.keras")
    tokens = {"token_ids, padding_mask and others": "(8,): as the preset's tokenizer has it"}
    with pytest.raises(ExportError, match="token_ids, padding_mask and others of texts.*run folder"):
        load_exported(changed(file, tmp_path, inputs=tokens))
    with pytest.raises(ExportError, match="do not belong together"):
        load_exported(changed(file, tmp_path, classes=["a", "b", "c"]))


def test_files_of_earlier_versions_are_read(
    exported: Path, classifier: GenomeClassifier, new: Path, tmp_path: Path
) -> None:
    shutil.copy(exported, tmp_path / "model.keras")
    about = json.loads(exported.with_suffix(".json").read_text())
    for name in ("kind", "reading"):
        del about[name]
    (tmp_path / "model.json").write_text(json.dumps(about))
    assert answered(tmp_path / "model.keras", new) == answered(classifier.path_, new)


# ---- refusals


def test_a_missing_json_file_is_said_before_anything_heavy_is_imported(
    exported: Path, new: Path, tmp_path: Path
) -> None:
    shutil.copy(exported, tmp_path / "model.keras")
    code = (
        "import sys; from genokeras.cli import main\n"
        f"try: main(['predict', {str(tmp_path / 'model.keras')!r}, {str(new)!r}])\n"
        "finally: print([name for name in ('keras', 'pandas') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 2 and done.stdout.strip() == "[]"
    assert "model.keras has no JSON file beside it" in done.stderr and "model.json" in done.stderr
    with pytest.raises(ExportError, match="no JSON file beside it"):
        load_exported(tmp_path / "model.keras")


def test_a_model_that_is_not_there_and_options_that_need_the_run_are_said(exported: Path, new: Path) -> None:
    result = genokeras("predict", exported.with_name("modle.keras"), new)
    assert result.exit_code == 2 and "Did you mean 'model.keras'" in result.output
    for option in (
        ("--coverage", "0.9"),
        ("--novelty",),
        ("--missing-genes", "impute"),
        ("--adapt", "standardise"),
    ):
        result = genokeras("predict", exported, new, *option)
        assert result.exit_code == 2 and f"{option[0]} rests on the training samples" in result.output


def test_genes_that_are_missing_are_named(exported: Path, new: Path, tmp_path: Path) -> None:
    pd.read_csv(new, sep="\t").drop(columns="gene_7").to_csv(tmp_path / "new.csv", index=False)
    result = genokeras("predict", exported, tmp_path / "new.csv")
    assert result.exit_code == 2 and "gene_7" in result.output and "missing" in result.output


def changed(exported: Path, folder: Path, **entries: Any) -> Path:
    shutil.copy(exported, folder / "model.keras")
    about = json.loads(exported.with_suffix(".json").read_text())
    (folder / "model.json").write_text(json.dumps({**about, **entries}))
    return folder / "model.keras"


@pytest.mark.parametrize(
    ("entries", "kind", "message"),
    [
        ({"feature_names": GENES[:5]}, ExportError, "do not belong together.*14.*5"),
        ({"classes": ["a", "b", "c"]}, ExportError, "do not belong together"),
        ({"feature_names": 5}, ExportError, "model.json' is incomplete"),
        ({"kind": "mlp_module"}, ExportError, "reads mlp_module samples.*run folder"),
        ({"kind": "text", "inputs": {"texts": "strings"}}, ExportError, "do not belong together"),
        ({"reading": {"adapt": "standardise"}}, ExportError, "adapt='standardise'.*run folder"),
        ({"format": 99}, NewerFormatError, "newer GenoKeras"),
    ],
)
def test_a_json_file_that_does_not_fit_is_refused(
    exported: Path, tmp_path: Path, entries: dict[str, Any], kind: type[Exception], message: str
) -> None:
    with pytest.raises(kind, match=message):
        load_exported(changed(exported, tmp_path, **entries))


def test_a_damaged_model_is_refused(exported: Path, tmp_path: Path) -> None:
    file = changed(exported, tmp_path)
    file.write_bytes(file.read_bytes()[:900])
    with pytest.raises(ExportError, match="cannot read the model"):
        load_exported(file)
