"""Graphs of a run, with what is needed to make Keras models of them."""

from __future__ import annotations

import json
import sys

import keras
import numpy as np
import pytest
from scipy.special import softmax

from genokeras.encoders import predict
from genokeras.engine import Run, load_graph, load_trial_graph
from genokeras.engine.jobs import Outcome
from genokeras.engine.store import TrialStore
from genokeras.errors import NotFittedError, ParameterError, RunFolderError
from genokeras.graph import mlp, reference_forward, small_cnn
from genokeras.searchers import TrialResult
from genokeras.tasks.calibration import Calibration, fit_calibration
from tests.engine.runs import (
    cnn_proposal,
    counts_proposal,
    expression,
    linear_proposal,
    mlp_proposal,
    problem_of_classes,
    problem_of_images,
    problem_of_numbers,
    several_views_proposal,
    trained,
    untrained,
)


@pytest.fixture(scope="module")
def genes(tmp_path_factory) -> Run:
    path = tmp_path_factory.mktemp("runs") / "run"
    return trained(path, problem_of_classes(), [linear_proposal(), mlp_proposal()])


@pytest.fixture(scope="module")
def numbers(tmp_path_factory) -> Run:
    path = tmp_path_factory.mktemp("runs") / "run"
    return trained(path, problem_of_numbers(), [mlp_proposal(2)])


@pytest.fixture(scope="module")
def images(tmp_path_factory) -> Run:
    path = tmp_path_factory.mktemp("runs") / "run"
    return trained(path, problem_of_images(), [cnn_proposal(), counts_proposal()], False, {"max_iter_num": 2})


def graph_file(run: Run, trial: int):
    return run.folder.path / "trials" / f"{trial:06d}" / "graph.json"


def array(tensor) -> np.ndarray:
    return np.asarray(keras.ops.convert_to_numpy(tensor))


@pytest.mark.parametrize("trial", [0, 1])
def test_a_graph_file_of_images_brings_its_trained_weights(images, trial):
    graph = load_graph(graph_file(images, trial))
    encoder, rows = images.problem.encoder, images.problem.rows
    found = predict(graph.produce_keras_model(weights=True), encoder, rows)

    assert found.shape == (24, 2)
    np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-5)
    held = TrialStore(images.folder).answers((images.history.get(trial),))[0]
    assert np.corrcoef(found[:, 0], held[:, 0])[0, 1] > 0.2


def of_out_of_fold(run: Run, trial: int) -> Calibration:
    problem = run.problem
    answers = TrialStore(run.folder).answers((run.history.get(trial),))[0]
    return fit_calibration(answers, problem.targets, problem.sample_weight)


def test_the_merged_model_of_a_trial_is_the_calibrated_mean_of_its_members(genes):
    graph = load_trial_graph(genes.folder, 0)
    x = expression(seed=2)[0]
    network, spaces = genes.network(genes.history.get(0)), genes.problem.encoder.spaces["all"]
    arrays = network.weights[network.graph.output]
    each = []
    for member, space in enumerate(spaces):
        z = space.transform(x)
        each.append(
            genes.task.answers_of(z @ arrays["kernel"][member, : space.rank] + arrays["bias"][member])
        )
    found = array(graph.produce_keras_model(weights=True)(x))
    mean, calibration = np.mean(each, axis=0), of_out_of_fold(genes, 0)
    assert calibration.sharpness != 1 and calibration.doubt > 0
    np.testing.assert_allclose(found, calibration.apply(mean), atol=1e-5)
    assert np.abs(found - mean).max() > 5e-4


def test_the_merged_model_of_several_views_is_the_mean_of_its_members(tmp_path):
    run = untrained(tmp_path / "run", problem_of_classes(("all", "log")), several_views_proposal())
    graph, x = load_trial_graph(run.folder, 0), expression(seed=2)[0]
    z = {}
    for i, view in graph.views("all").items():
        spaces, width = run.problem.encoder.spaces[view], run.problem.encoder.widths[view]
        z[i] = np.stack([np.pad(s.transform(x), ((0, 0), (0, width - s.rank))) for s in spaces])
    logits = reference_forward(graph, run.network(run.best).weights, z, "relu")
    found = array(graph.produce_keras_model(weights=True)(x))
    mean = softmax(logits, axis=-1).mean(axis=0)
    np.testing.assert_allclose(found, of_out_of_fold(run, 0).apply(mean), atol=1e-5)
    np.testing.assert_allclose(array(run.model(x)).argmax(axis=1), found.argmax(axis=1))


def test_a_fresh_model_of_several_views_reads_each(tmp_path):
    run = untrained(tmp_path / "run", problem_of_classes(("all", "log")), several_views_proposal())
    model = load_trial_graph(run.folder, 0).produce_keras_model()
    assert [each.shape for each in model.inputs] == [(None, 40), (None, 40)]
    assert model.output_shape == (None, 2)


def test_a_fresh_model_of_genes_reads_their_number(genes):
    graph = load_trial_graph(genes.folder, 1)
    assert graph.produce_keras_model().input_shape == (None, 40)
    assert graph.produce_keras_model(n_features=7).input_shape == (None, 7)
    produced = graph.produce_model()  # of PyTorch where that is installed, whatever Keras runs on
    torch = sys.modules.get("torch")
    if torch is None or keras.backend.backend() == "torch":
        assert produced.output_shape == (None, 2)
    else:
        assert isinstance(produced, torch.nn.Module)
        assert produced(torch.zeros(3, 40)).shape == (3, 2)
        with pytest.raises(ParameterError, match="needs Keras on PyTorch"):
            graph.produce_model(weights=True)


def test_a_fresh_model_of_images_reads_their_shape(images):
    model = load_trial_graph(images.folder, 0).produce_keras_model()
    assert model.input_shape == (None, 8, 8, 1)
    np.testing.assert_allclose(array(model(np.ones((3, 8, 8, 1)))).sum(axis=1), 1, atol=1e-5)


def test_a_fresh_linear_model_of_images_reads_their_pixels_and_can_be_trained(images):
    model = load_trial_graph(images.folder, 1).produce_keras_model()
    assert model.input_shape == (None, 8, 8, 1)
    model.compile(keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy", jit_compile=False)
    pixels, codes = images.problem.rows["pixels"], images.problem.targets
    losses = model.fit(pixels, codes, epochs=8, verbose=0).history["loss"]
    assert losses[-1] < 0.7 * losses[0]


def test_a_linear_model_of_images_is_made_for_pytorch_too(images):
    produced = load_trial_graph(images.folder, 1).produce_model()
    torch = sys.modules.get("torch")
    if torch is None or keras.backend.backend() == "torch":
        assert produced.output_shape == (None, 2)
    else:
        assert [tuple(produced(torch.zeros(shape)).shape) for shape in ((3, 8, 8, 1), (5, 64))] == [
            (3, 2),
            (5, 2),
        ]


def test_a_fresh_model_of_numbers_answers_with_numbers(numbers):
    model = load_trial_graph(numbers.folder, 0).produce_keras_model()
    found = array(model(np.random.default_rng(0).normal(size=(5, 40)).astype("float32")))
    assert abs(found.sum(axis=1) - 1).min() > 0.1
    assert 0 < found[:, 0].mean() < 200


def test_a_trained_model_of_numbers_answers_in_their_units(numbers):
    x = expression()[0]
    found = array(load_trial_graph(numbers.folder, 0).produce_keras_model(weights=True)(x))
    np.testing.assert_allclose(found, array(numbers.model(x)), rtol=1e-4)


def test_a_trial_that_is_not_there_is_an_error_that_names_those_that_are(genes):
    with pytest.raises(RunFolderError, match="has no trial 9; its trials are 0 to 1"):
        load_trial_graph(genes.folder, 9)


@pytest.mark.parametrize("trial_id", ["1", 1.0, True, -1])
def test_the_id_of_a_trial_must_be_a_whole_number(genes, trial_id):
    with pytest.raises(ParameterError, match="the id of a trial must be a whole number of at least 0, got"):
        load_trial_graph(genes.folder, trial_id)


def test_a_failed_trial_has_a_graph_and_no_weights(genes, tmp_path):
    folder = genes.folder.copy_to(tmp_path / "run")
    proposal = mlp_proposal(rate=0.5)
    TrialStore(folder).write(Outcome(TrialResult.failure(2, proposal, "no")))
    graph = load_trial_graph(folder, 2)
    assert graph.layers == proposal.graph.layers and not graph.networks
    assert graph.produce_keras_model().output_shape == (None, 2)
    with pytest.raises(NotFittedError, match="the trial of this graph failed"):
        graph.produce_keras_model(weights=True)


def test_a_graph_may_be_read_from_its_own_json(tmp_path):
    graph = small_cnn((8, 8, 1), 3, filters=(4,), units=0)
    file = tmp_path / "graph.json"
    file.write_text(json.dumps(graph.to_dict()))
    found = load_graph(file)
    assert found.layers == graph.layers
    assert found.produce_keras_model().output_shape == (None, 3)
    with pytest.raises(NotFittedError, match="loaded without its run"):
        found.produce_keras_model(weights=True)


def test_a_trial_file_without_its_run_has_graph_and_hyper_parameters(genes, tmp_path):
    file = tmp_path / "a" / "b" / "c" / "graph.json"
    file.parent.mkdir(parents=True)
    file.write_bytes(graph_file(genes, 1).read_bytes())
    found = load_graph(file)
    assert found.hyper == mlp_proposal().hyper and found.layers == mlp(2, (8,)).layers
    with pytest.raises(NotFittedError, match="give n_features="):
        found.produce_keras_model()
    assert found.produce_keras_model(n_features=40).input_shape == (None, 40)


@pytest.mark.parametrize("content", ["{", "[1, 2]", '{"a": 1}', "3"])
def test_what_holds_no_graph_is_refused(tmp_path, content):
    file = tmp_path / "graph.json"
    file.write_text(content)
    with pytest.raises(
        RunFolderError, match="is damaged or no JSON|should hold a JSON object|holds no graph"
    ):
        load_graph(file)


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(RunFolderError, match="there is no file .*graph.json"):
        load_graph(tmp_path / "graph.json")
