"""The commands on sequences, images and texts, end to end on small runs."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner, Result
from PIL import Image

import genokeras as gk
from genokeras.cli import main
from genokeras.errors import DataError
from genokeras.report.by_class import mistakes
from genokeras.report.given import given_samples
from genokeras.report.scored import score_samples, scores_of
from genokeras.report.validation import given_predictions
from tests.encoders.planted import bars, opinions, planted_sequences
from tests.report.test_html_report import Page

NEW = [("sequences", "new.fa"), ("texts", "new.csv"), ("images", "new")]


def genokeras(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def succeeded(*arguments: object) -> str:
    result = genokeras(*arguments)
    assert result.exit_code == 0, result.output
    return result.stdout


def write_fasta(path: Path, n: int, seed: int) -> Path:
    x, y, _ = planted_sequences(n, 30, seed=seed)
    records = [f">p{i} label={'bound' if y[i] else 'other'}\n{x[i]}\n" for i in range(n)]
    path.write_text("".join(records))
    return path


def write_texts(path: Path, n: int, seed: int) -> Path:
    x, y = opinions(n, seed=seed)
    pd.DataFrame({"text": x, "label": y}).to_csv(path, index=False)
    return path


def write_images(path: Path, n: int, seed: int) -> Path:
    for i, (pixels, label) in enumerate(zip(*bars(n, seed=seed), strict=True)):
        (path / label).mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(path / label / f"{i:02d}.png")
    return path


def fit(estimator: Any, data: Path, father: str) -> Path:
    """A run beside its data: two linear trials or so, and a network."""
    quick = {"fathers": [father], "trainer_args": {"max_iter_num": 4}}
    settings = {"time_limit": None, "max_trials": 4, "folds": 2, "random_state": 0, "verbose": 0}
    return Path(estimator(data.parent / "run", searcher_args=quick, **settings).fit(data).path_)


@pytest.fixture(scope="module")
def sequences(tmp_path_factory: pytest.TempPathFactory) -> Path:
    data = write_fasta(tmp_path_factory.mktemp("sequences") / "train.fa", 120, 0)
    write_fasta(data.with_name("new.fa"), 20, 1)
    return fit(gk.SequenceClassifier, data, "small_cnn")


@pytest.fixture(scope="module")
def texts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    data = write_texts(tmp_path_factory.mktemp("texts") / "train.csv", 80, 0)
    write_texts(data.with_name("new.csv"), 20, 1)
    return fit(gk.TextClassifier, data, "small_text_cnn")


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    data = write_images(tmp_path_factory.mktemp("images") / "train", 60, 0)
    write_images(data.with_name("new"), 12, 1)
    return fit(gk.ImageClassifier, data, "small_cnn")


# ---- fit


@pytest.mark.parametrize(
    ("write", "name", "kind"),
    [
        (write_fasta, "a.fasta", "sequence"),
        (write_texts, "a.csv", "text"),
        (write_images, "a", "image"),
    ],
)
def test_fit_tells_what_it_is_given(tmp_path: Path, write: Any, name: str, kind: str) -> None:
    data = write(tmp_path / name, 40, 0)
    text = succeeded("fit", data, "--max-trials", 1, "--folds", 2, "--seed", 1, "--out", tmp_path / "run")
    assert json.loads((tmp_path / "run" / "run.json").read_text())["kind"] == kind
    assert f"{kind}s in, class probabilities out" in text and "95 % interval" in text


def test_images_of_several_sizes_are_resized_where_a_size_is_said(tmp_path: Path) -> None:
    data = write_images(tmp_path / "train", 40, 0)
    odd = next(data.glob("*/*.png"))
    Image.open(odd).resize((11, 13)).save(odd)
    command = ("fit", data, "--max-trials", 1, "--folds", 2, "--seed", 1, "--out", tmp_path / "run")
    result = genokeras(*command)
    assert result.exit_code != 0 and "on the command line --size" in " ".join(result.stderr.split())
    height, width = bars(1)[0].shape[1:3]
    succeeded(*command, "--size", f"{height}x{width}")
    predicted = succeeded("predict", tmp_path / "run", data, "--size", f"{height}x{width}")
    assert len(predicted.splitlines()) == 41
    for wrong in ("8", "8x", "0x8", "8x8x3"):
        result = genokeras(*command, "--size", wrong)
        assert result.exit_code == 2 and "expected HEIGHTxWIDTH, such as 28x28" in result.stderr
    x = write_fasta(tmp_path / "a.fa", 10, 0)
    result = genokeras("fit", x, "--size", "8x8", "--out", tmp_path / "other")
    assert result.exit_code == 2 and "--size is for images" in result.stderr


def test_kind_and_target_can_be_said(tmp_path: Path) -> None:
    x, y = opinions(40)
    table = pd.DataFrame({"text": x, "mood": y} | {f"n{i}": range(40) for i in range(20)})
    table.to_csv(tmp_path / "a.csv", index=False, sep=";")
    options = ("--target", "mood", "--delimiter", ";", "--max-trials", 1, "--folds", 2)
    result = genokeras("fit", tmp_path / "a.csv", *options, "--out", tmp_path / "run")
    assert result.exit_code == 2 and "--kind texts or --kind genes" in result.stderr
    succeeded("fit", tmp_path / "a.csv", *options, "--out", tmp_path / "run", "--kind", "texts", "-q")
    assert json.loads((tmp_path / "run" / "run.json").read_text())["classes"] == ["bad", "good"]


def test_pixels_and_labels_may_be_two_files(tmp_path: Path) -> None:
    pixels, labels = bars(30, size=8)
    codes = np.unique(labels, return_inverse=True)[1].astype("uint8")
    for name, values in (("images-idx3-ubyte", pixels), ("labels-idx1-ubyte", codes)):
        header = bytes([0, 0, 8, values.ndim]) + b"".join(n.to_bytes(4, "big") for n in values.shape)
        (tmp_path / name).write_bytes(header + values.tobytes())
    options = ("--max-trials", 1, "--folds", 2, "--out", tmp_path / "run", "-q")
    succeeded("fit", tmp_path / "images-idx3-ubyte", "--target", tmp_path / "labels-idx1-ubyte", *options)
    assert json.loads((tmp_path / "run" / "run.json").read_text())["classes"] == [0, 1, 2]


@pytest.mark.parametrize("options", [("--missing", "median"), ("--kind", "images", "--transposed")])
def test_options_of_genes_are_refused_for_other_samples(tmp_path: Path, options: tuple[str, ...]) -> None:
    (tmp_path / "images" / "cat").mkdir(parents=True)
    Image.fromarray(np.zeros((4, 4), "uint8")).save(tmp_path / "images" / "cat" / "1.png")
    result = genokeras("fit", tmp_path / "images", "--out", tmp_path / "run", *options)
    assert result.exit_code == 2 and "tables of genes, and these are images" in result.stderr
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [(("--executor", "poll"), "Did you mean 'pool'"), (("--workers", 0), "'workers' must be a whole number")],
)
def test_executors_are_for_all_samples_and_wrong_ones_are_named(
    tmp_path: Path, options: tuple[Any, ...], message: str
) -> None:
    (tmp_path / "images" / "cat").mkdir(parents=True)
    Image.fromarray(np.zeros((4, 4), "uint8")).save(tmp_path / "images" / "cat" / "1.png")
    result = genokeras("fit", tmp_path / "images", "--out", tmp_path / "run", *options)
    assert result.exit_code == 2 and message in result.stderr
    assert not (tmp_path / "run").exists()


# ---- predict and evaluate


def test_predictions_have_names_classes_and_probabilities(sequences: Path) -> None:
    data = sequences.parent / "new.fa"
    found = pd.read_csv(io.StringIO(succeeded("predict", sequences, data, "--probabilities")))
    assert list(found.columns) == ["sample", "prediction", "bound", "other"]
    assert found["sample"].tolist() == [f"p{i}" for i in range(20)]
    assert (found[["bound", "other"]].idxmax(axis=1) == found["prediction"]).all()


def test_images_are_named_by_their_files_and_texts_without_words_are_answered(
    images: Path, texts: Path, tmp_path: Path
) -> None:
    found = pd.read_csv(io.StringIO(succeeded("predict", images, images.parent / "new")))
    assert found["sample"][0] == "column/01.png"
    (tmp_path / "t.csv").write_text("id,text\na,\nb,a great film\n")
    with pytest.warns(UserWarning, match="1 text has no word that .*: a. Such an answer"):
        found = pd.read_csv(io.StringIO(succeeded("predict", texts, tmp_path / "t.csv")))
    assert found["sample"].tolist() == ["a", "b"]


def test_evaluate_prints_the_same_scores_as_of_genes(sequences: Path, texts: Path, images: Path) -> None:
    for run, name in ((sequences, "new.fa"), (texts, "new.csv"), (images, "new")):
        scores = json.loads(succeeded("evaluate", run, run.parent / name, "--json"))
        assert list(scores) == ["accuracy", "balanced_accuracy", "log_loss", "roc_auc", "f1", "mcc"]
        assert scores["roc_auc"] > 0.5


def test_unlabelled_samples_cannot_be_evaluated(texts: Path, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("text\na great film\n")
    result = genokeras("evaluate", texts, tmp_path / "t.csv")
    assert result.exit_code == 2 and "without labels: pass --target as" in result.stderr


def test_the_wrong_samples_are_a_message(sequences: Path, images: Path) -> None:
    result = genokeras("predict", sequences, images.parent / "new")
    assert result.exit_code == 2 and "Traceback" not in result.stderr
    result = genokeras("predict", sequences, sequences.parent / "new.fa", "--transposed")
    assert result.exit_code == 2 and "these are sequences" in result.stderr


# ---- explain and report


def test_sequences_are_explained_letter_by_letter_with_motifs(sequences: Path, tmp_path: Path) -> None:
    text = succeeded("explain", sequences, sequences.parent / "new.fa", "--samples", 3, "--out", tmp_path)
    scores = pd.read_csv(tmp_path / "scores.csv")
    assert "Explained 3 sequences by mutagenesis." in text and len(scores) == 90
    assert list(scores.columns) == ["sample", "place", "letter", "bound", "other"]
    assert (tmp_path / "motifs.meme").exists() or "There is no motifs.meme" in text


def test_a_run_of_linear_models_has_no_motifs_and_says_so(tmp_path: Path) -> None:
    data = write_fasta(tmp_path / "a.fa", 40, 0)
    succeeded("fit", data, "--max-trials", 1, "--folds", 2, "--out", tmp_path / "run", "-q")
    text = succeeded(
        "explain", tmp_path / "run", data, "--samples", 1, "--method", "gradient", "--out", tmp_path
    )
    assert "none of the run's best networks looks for motifs" in text
    assert (tmp_path / "scores.csv").exists() and not (tmp_path / "motifs.meme").exists()


def test_texts_are_explained_word_by_word_and_images_pixel_by_pixel(
    texts: Path, images: Path, tmp_path: Path
) -> None:
    succeeded("explain", texts, texts.parent / "new.csv", "--samples", 2, "--out", tmp_path / "t")
    assert list(pd.read_csv(tmp_path / "t" / "scores.csv").columns)[2:] == ["word", "bad", "good"]
    succeeded("explain", images, images.parent / "new", "--samples", 2, "--out", tmp_path / "i")
    assert sorted(path.name for path in (tmp_path / "i").iterdir()) == ["pictures.pdf", "scores.npz"]
    with np.load(tmp_path / "i" / "scores.npz") as arrays:
        assert arrays["values"].shape == (2, 12, 12, 3)


def test_a_method_of_genes_is_answered_with_those_there_are(texts: Path, tmp_path: Path) -> None:
    result = genokeras("explain", texts, texts.parent / "new.csv", "--method", "linear", "--out", tmp_path)
    assert result.exit_code == 2 and "'leave_one_out' for texts" in result.stderr


def test_the_report_needs_the_run_only(sequences: Path, tmp_path: Path) -> None:
    out = tmp_path / "report.html"
    text = succeeded("report", sequences, "--out", out)
    assert text == f"Wrote {out} and {tmp_path / 'report_model_card.md'}.\n"
    page = out.read_text(encoding="utf-8")
    assert "120 sequences, 2 classes" in page and "On the samples that were given" not in page


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "new"), NEW)
def test_the_report_scores_samples_that_it_is_given(
    kind: str, new: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    run: Path = request.getfixturevalue(kind)
    data = run.parent / new
    succeeded("report", run, data, "--out", tmp_path / "r.html")
    scores = json.loads(succeeded("evaluate", run, data, "--json"))
    page = (tmp_path / "r.html").read_bytes()
    text = Page(page.decode()).text
    n = 12 if kind == "images" else 20
    assert f"Balanced accuracy of {scores['balanced_accuracy']:.3f} (95 % interval" in text
    assert (
        f"on the {n} samples that were given" in text
        and "training sample" not in text.split("Its predictions")[0]
    )
    assert gk.write_report(run, tmp_path / "by_path.html", x=data).read_bytes() == page


@pytest.mark.parametrize(("kind", "new"), NEW)
def test_a_report_scores_as_evaluate_and_knows_training_samples(
    kind: str, new: str, request: pytest.FixtureRequest
) -> None:
    run: Path = request.getfixturevalue(kind)
    fitted = gk.load_estimator(run)
    loaders: dict[str, Any] = {
        "sequences": gk.load_sequences,
        "texts": gk.load_texts,
        "images": gk.load_images,
    }
    content, targets = given_samples(fitted._run, loaders[kind](run.parent / new))
    scored = score_samples(fitted._run, content, targets)
    expected = fitted.evaluate(content)
    assert {one.metric: one.value for one in scores_of(fitted._run, scored)} == pytest.approx(expected)
    wrong = [
        str(name)
        for name, right in zip(content.names, fitted.predict(content) == content.labels, strict=True)
        if not right
    ]
    table = mistakes(given_predictions(fitted._run, scored), scored.ids, "wrong")
    assert all(name in table for name in wrong) and f"{len(wrong) or 'none'} of {len(content)}" in table
    assert scored.trained_on == ()
    trained = loaders[kind](next(run.parent.glob("train*"))).take(np.array([7, 3]))
    assert score_samples(fitted._run, *given_samples(fitted._run, trained)).trained_on == trained.names


def test_a_list_of_labels_is_no_list_of_columns(texts: Path) -> None:
    fitted, read = gk.load_estimator(texts), gk.load_texts(texts.parent / "new.csv")
    labels = read.labels.tolist()
    assert all(isinstance(label, str) for label in labels)
    for x in (read, list(read.texts)):
        content, targets = given_samples(fitted._run, x, labels)
        assert len(content) == len(labels)
        np.testing.assert_array_equal(targets, given_samples(fitted._run, read)[1])


def test_samples_without_labels_are_not_for_a_report(texts: Path, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("text\na great film\n")
    result = genokeras("report", texts, tmp_path / "t.csv", "--out", tmp_path / "r.html")
    assert result.exit_code == 2 and "without labels: pass --target as" in result.stderr
    with pytest.raises(
        DataError, match="without labels, and a report of texts looks at samples to score them"
    ):
        gk.write_report(texts, tmp_path / "r.html", x=tmp_path / "t.csv")
    assert not (tmp_path / "r.html").exists()


def test_images_of_another_size_are_a_message(images: Path, tmp_path: Path) -> None:
    x, y = bars(6, size=9)
    with pytest.raises(DataError, match="fitted on images of shape"):
        gk.load_estimator(images).report(tmp_path / "r.html", x, y)


def test_the_leaderboard_is_that_of_any_run(images: Path) -> None:
    text = succeeded("leaderboard", images)
    assert max(map(len, text.splitlines())) <= 80 and "linear" in text
