"""A problem comes back from its folder as it was written, whatever its samples are."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from genokeras.data import load_images, load_sequences, load_texts
from genokeras.encoders import (
    ArrayEncoder,
    fit_image_encoder,
    fit_sequence_encoder,
    fit_text_encoder,
)
from genokeras.engine import Problem, has_problem, read_problem, write_problem
from genokeras.engine.problem import fingerprint_of, rows_digest
from genokeras.engine.problem_files import read_scored_rows, read_task_of
from genokeras.errors import RunFolderError
from genokeras.support import RunFolder
from genokeras.tasks.classes import Classes
from genokeras.tasks.numbers import Numbers, numbers_like
from tests.engine.runs import expression, made_folder, problem_of_classes, problem_of_numbers, two_folds
from tests.tasks.poisson import PoissonCounts

VIEWS = ("all", "top5", "log", "log:top5")


def round_trip(tmp_path, problem: Problem) -> Problem:
    return read_problem(RunFolder(made_folder(tmp_path / "run", problem).path))


def assert_alike(again: Problem, problem: Problem) -> None:
    assert again.task == problem.task
    assert again.widths == problem.widths
    for name in ("targets", "held_out", "train", "sample_weight"):
        found, wanted = getattr(again, name), getattr(problem, name)
        np.testing.assert_array_equal(found, wanted)
        assert found.dtype == wanted.dtype
    assert rows_digest(again.rows) == rows_digest(problem.rows)
    assert list(again.rows) == list(problem.rows)


# ---- tables


@pytest.mark.parametrize("views", [VIEWS, *[(view,) for view in VIEWS]])
def test_every_view_of_a_table_comes_back(tmp_path, views):
    problem = problem_of_classes(views)
    again = round_trip(tmp_path, problem)
    assert_alike(again, problem)
    x = expression(seed=7)[0]
    for view in views:
        for space, wanted in zip(again.encoder.spaces[view], problem.encoder.spaces[view], strict=True):
            np.testing.assert_array_equal(space.transform(x), wanted.transform(x))


def test_a_basis_that_folds_and_views_share_is_written_once(tmp_path):
    problem = problem_of_classes(("all", "leading3", "log:leading3", "log"))
    folder = made_folder(tmp_path / "run", problem)
    names = [name for name in folder.read_arrays("features.npz") if name.endswith("/basis")]
    assert sorted(names) == ["all/0/basis", "log:leading3/0/basis"]
    spaces = read_problem(folder).encoder.spaces
    assert spaces["all"][0].basis is spaces["all"][1].basis is spaces["leading3"][1].basis
    assert spaces["log:leading3"][0].basis is spaces["log"][1].basis
    assert spaces["all"][0].basis is not spaces["log"][0].basis


def test_folds_with_features_of_their_own_have_a_basis_each(tmp_path):
    spaces = round_trip(tmp_path, problem_of_classes(("top5",))).encoder.spaces["top5"]
    assert spaces[0].basis is not spaces[1].basis or spaces[0].basis is None


def test_medians_come_back_and_fill_missing_values(tmp_path):
    medians = np.arange(40, dtype="float32")
    encoder = round_trip(tmp_path, problem_of_classes(medians=medians)).encoder
    np.testing.assert_array_equal(encoder.medians, medians)
    x = expression()[0]
    x[0, 5] = np.nan
    assert encoder.filled(x)[0, 5] == 5
    assert encoder.sidecar()["missing"] == "median"


def test_without_medians_missing_values_stay_an_error(tmp_path):
    encoder = round_trip(tmp_path, problem_of_classes()).encoder
    assert encoder.medians is None and encoder.sidecar()["missing"] == "error"


def test_numbers_come_back_with_what_brings_them_to_their_units(tmp_path):
    problem = problem_of_numbers()
    again = round_trip(tmp_path, problem)
    assert_alike(again, problem)
    assert isinstance(again.task, Numbers) and again.targets.shape == (24, 2)


def test_names_of_features_come_from_run_json(tmp_path):
    problem = problem_of_classes()
    assert round_trip(tmp_path, problem).encoder.feature_names == problem.encoder.feature_names


def test_groups_fingerprint_and_motion_come_back(tmp_path):
    groups = np.arange(24) // 3
    prints = fingerprint_of("abc", problem_of_classes().targets, np.ones(24), groups)
    moved = np.array([True, False])
    problem = replace(problem_of_classes(), groups=groups, fingerprint=prints, moved=moved)
    again = round_trip(tmp_path, problem)
    np.testing.assert_array_equal(again.groups, groups)
    assert again.fingerprint == prints and again.digest == problem.digest
    np.testing.assert_array_equal(again.moved, moved)


def test_what_is_not_there_is_none(tmp_path):
    again = round_trip(tmp_path, problem_of_classes())
    assert again.groups is None and again.moved is None and again.fingerprint == {}


# ---- sequences, images, texts, arrays


def of(encoder, data) -> Problem:
    n, held_out = 6, two_folds(6)
    weight = np.linspace(1, 2, n)
    return Problem(np.arange(n) % 2, held_out, weight, encoder, encoder.rows(data), Classes(2), ~held_out)


def sequences() -> Problem:
    rng = np.random.default_rng(0)
    letters = ["".join(rng.choice(list("ACGTN"), size=n)) for n in (20, 22, 24, 24, 30, 60)]
    data = load_sequences(letters, extra=rng.normal(size=(6, 2)))
    return of(fit_sequence_encoder(data, strands=True, shift=2, window=24)[0], data)


def images() -> Problem:
    data = load_images(np.random.default_rng(0).integers(0, 255, size=(6, 8, 8, 3)).astype("uint8"))
    return of(fit_image_encoder(data), data)


def texts() -> Problem:
    data = load_texts(["größer als", "多言語 text", "end 🙂", "a b", "b c", "c d e"])
    return of(fit_text_encoder(data)[0], data)


def arrays() -> Problem:
    return of(ArrayEncoder((3, 4), "flat"), np.random.default_rng(0).normal(size=(6, 3, 4)))


@pytest.mark.parametrize("make", [sequences, images, texts, arrays])
def test_samples_of_every_kind_come_back(tmp_path, make):
    problem = make()
    again = round_trip(tmp_path, problem)
    assert_alike(again, problem)
    assert again.encoder.to_dict() == problem.encoder.to_dict()
    np.testing.assert_array_equal(again.encoder.tensor(again.rows), problem.encoder.tensor(problem.rows))


# ---- parts, and what is missing


def test_targets_and_folds_are_read_without_the_samples(tmp_path):
    problem = problem_of_classes()
    folder = made_folder(tmp_path / "run", problem)
    (folder.path / "features.npz").unlink()
    rows = read_scored_rows(folder)
    np.testing.assert_array_equal(rows.targets, problem.targets)
    assert (rows.n_samples, rows.n_folds) == (24, 2) and rows.scored.all()
    assert read_task_of(folder) == Classes(2)


def test_samples_are_what_makes_a_problem_complete(tmp_path):
    folder = made_folder(tmp_path / "run", problem_of_classes())
    assert has_problem(folder)
    (folder.path / "features.npz").unlink()
    assert not has_problem(folder)


def test_an_old_table_without_a_task_is_of_classes(tmp_path):
    problem = problem_of_classes()
    folder = made_folder(tmp_path / "run", problem)
    (folder.path / "task.json").unlink()
    data = folder.read_arrays("data.npz")
    folder.write_arrays("data.npz", {**data, "n_classes": np.array(2), "n_features": np.array(40)})
    assert_alike(read_problem(folder), problem)


@pytest.mark.parametrize("name", ["codes", "train", "held_out", "sample_weight"])
def test_an_array_that_is_missing_is_named(tmp_path, name):
    folder = made_folder(tmp_path / "run", problem_of_classes())
    data = folder.read_arrays("data.npz")
    folder.write_arrays("data.npz", {key: value for key, value in data.items() if key != name})
    with pytest.raises(RunFolderError, match=f"lacks '{name}'"):
        read_problem(folder)


def test_a_task_that_is_incomplete_is_an_error_of_the_run(tmp_path):
    folder = made_folder(tmp_path / "run", problem_of_classes())
    folder.write_json("task.json", {"kind": "classes"})
    with pytest.raises(RunFolderError, match=r"task.json of '.*run' is incomplete: 'n_classes'"):
        read_problem(folder)


def test_a_task_that_is_not_known_is_an_error_that_says_what_to_do(tmp_path):
    folder = made_folder(tmp_path / "run", replace(problem_of_classes(), task=PoissonCounts(1)))
    with pytest.raises(RunFolderError, match="'poisson_counts', a custom task"):
        read_problem(folder)


def test_an_encoder_that_is_incomplete_is_an_error_of_the_run(tmp_path):
    folder = made_folder(tmp_path / "run", images())
    folder.write_json("encoder.json", {"kind": "image"})
    with pytest.raises(RunFolderError, match=r"encoder.json of '.*run' is incomplete"):
        read_problem(folder)


def test_a_problem_written_again_takes_the_place_of_the_first(tmp_path):
    folder = made_folder(tmp_path / "run", problem_of_classes(("top5",)))
    write_problem(folder, problem_of_classes(("all",)))
    assert list(read_problem(folder).encoder.spaces) == ["all"]


def test_numbers_of_one_target_keep_their_column(tmp_path):
    problem = problem_of_numbers()
    targets = problem.targets[:, :1]
    one = replace(problem, targets=targets, task=numbers_like(targets))
    assert round_trip(tmp_path, one).targets.shape == (24, 1)
