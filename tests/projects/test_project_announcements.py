from __future__ import annotations

import io
import logging
from collections.abc import Iterator

import numpy as np
import pytest

from genokeras.projects import announce
from genokeras.projects.progress import TrainingLog

PROJECTS, PACKAGE = logging.getLogger("genokeras.projects"), logging.getLogger("genokeras")


@pytest.fixture(autouse=True)
def usual_logging() -> Iterator[None]:
    """Loggers as they are for somebody who never configured any."""
    loggers = [PROJECTS, PACKAGE]
    before = [(logger.level, logger.propagate, list(logger.handlers)) for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.NOTSET)
        logger.propagate = True
        logger.handlers.clear()
    yield
    for logger, (level, propagate, handlers) in zip(loggers, before, strict=True):
        logger.setLevel(level)
        logger.propagate = propagate
        logger.handlers[:] = handlers


@pytest.fixture
def users(request: pytest.FixtureRequest) -> Iterator[io.StringIO]:
    """What a handler of the user's, on the root logger, shows."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    logging.getLogger().addHandler(handler)
    yield stream
    logging.getLogger().removeHandler(handler)


def said(call, capsys) -> str:
    """What a call prints, without its last line end."""
    announce.show_progress()
    call()
    return capsys.readouterr().out.removesuffix("\n")


# ---- wording


@pytest.mark.parametrize(
    ("call", "line"),
    [
        (
            lambda: announce.stage(announce.TRAINING),
            "----------In Hyper & Training Search stage",
        ),
        (lambda: announce.stage(announce.EVALUATION), "----------In Evaluation stage"),
        (lambda: announce.stage(announce.PREDICTION), "----------In Prediction stage"),
        (
            lambda: announce.pretraining("n_latent", 32),
            "Pretraining: search parameter is n_latent, search value is 32",
        ),
        (
            lambda: announce.pretraining("output_nonlinear", None),
            "Pretraining: search parameter is output_nonlinear, search value is None",
        ),
        (
            lambda: announce.range_test(1e-5, 0.1),
            "LR_RANGE_TEST From begin_lr 0.000010 To end_lr 0.100000",
        ),
        (lambda: announce.running_until(10), "Running will end at step: 10"),
        (
            lambda: announce.trained_step(0, 0, 141.6831, {"loss": 0.674, "accuracy": 0.609}),
            "step: 0(global step: 0)\tsample/sec: 141.683\tloss: 0.674\taccuracy: 0.609",
        ),
        (
            lambda: announce.evaluated_step(1, 117.715, {"loss": 0.007, "accuracy": 1.0}),
            "step: 1\tbatch/sec: 117.715\tloss: 0.007\taccuracy: 1.000",
        ),
        (lambda: announce.evaluated_step(9, 110.194, {}), "step: 9\tbatch/sec: 110.194"),
        (
            lambda: announce.evaluated({"loss": 0.00691508, "accuracy": 1.0}, 100),
            "loss: 0.00691508\taccuracy: 1\t\t[100 batches]",
        ),
        (lambda: announce.evaluated({}, 1), "\t[1 batch]"),
        (
            lambda: announce.plateau(163, {"loss": 1.213, "accuracy": 0.828}),
            "[Plateau Metric] step: 163 loss: 1.213 accuracy: 0.828",
        ),
        (lambda: announce.saved(166, "a/b.keras"), "Saving checkpoints for 166 into a/b.keras."),
        (lambda: announce.restored("a/b.keras"), "Restoring parameters from a/b.keras"),
        (lambda: announce.confusion_written("a/b.pdf"), "Confusion matrix plot is 'a/b.pdf'"),
        (lambda: announce.metrics_written("a/b.json"), "Metrics file is 'a/b.json'"),
        (lambda: announce.predictions_written("a/b.csv"), 'Predicted values file is "a/b.csv"'),
        (lambda: announce.latent_written("a/b.csv"), 'Latent vectors file is "a/b.csv"'),
        (
            lambda: announce.chosen({"n_latent": 128, "learning_rate": 0.08500150000000001}),
            "Chosen parameters:\n  n_latent: 128\n  learning_rate: 0.0850015",
        ),
        (lambda: announce.say("100 % of {it}"), "100 % of {it}"),
    ],
)
def test_lines_are_those_of_the_sample_logs(call, line, capsys):
    assert said(call, capsys) == line


def test_the_banner_names_the_file_and_the_parts(capsys):
    parts = announce.parts_of("ResNet", searched=True)
    ready = announce.ready_to("ResNet", searched=True)
    lines = said(lambda: announce.banner("a/resnet_test.json", parts, ready), capsys).splitlines()
    assert lines[:7] == [
        "=" * 58,
        "----------Use the config from a/resnet_test.json",
        "----------Initialize data_loader class",
        "----------Initialize Optimizer",
        "----------Initialize hyper_param_spec class",
        "----------Initialize param_spec class",
        "=" * 58,
    ]
    assert lines[10].strip() == "Ready to search the best hyper parameters for ResNet model"
    assert lines[7] == lines[-1] == "#" * 79
    assert max(map(len, lines)) < 80


def test_without_a_search_the_banner_promises_none():
    assert "hyper_param_spec class" not in announce.parts_of("VAE", searched=False)
    assert announce.ready_to("VAE", searched=False) == "Ready to train the VAE model"


def test_the_banner_of_enas_has_its_own_words():
    assert announce.parts_of("enas", searched=True) == ("enas class", "data_loader class")
    assert announce.ready_to("enas", searched=True) == "Ready to search the best neural arch for enas model"


# ---- who shows it


@pytest.mark.parametrize(
    ("monitor", "value", "figure"), [("accuracy", -0.61, "\tvalidation accuracy: 0.610"), ("loss", 0.8, "")]
)
def test_a_step_line_tells_the_loss_of_training_from_what_is_held_out(capsys, monitor, value, figure):
    log = TrainingLog(monitor, 5, 32, patience=3, n_rates=1)
    line = said(lambda: log(5, np.array([[[0.7, 0.8, value]]])), capsys).splitlines()[0]
    assert line.endswith(f"\ttraining loss: 0.700\tvalidation loss: 0.800{figure}")


def test_every_scoring_is_said_whether_it_is_better_or_not(capsys):
    log = TrainingLog("accuracy", 5, 32, patience=9, n_rates=2)
    better, worse = [[0.7, 0.8, -0.6], [0.9, 0.9, -0.5]], [[0.6, 0.9, -0.4], [0.8, 0.8, -0.5]]
    lines = said(lambda: log(10, np.array([better, worse])), capsys).splitlines()
    assert [line for line in lines if line.startswith("[Plateau")] == [
        "[Plateau Metric] step: 5 training loss: 0.700 validation loss: 0.800 validation accuracy: 0.600",
        "[Plateau Metric] step: 10 training loss: 0.800 validation loss: 0.800 validation accuracy: 0.500",
    ]


def test_nothing_is_printed_unless_asked_for(capsys):
    announce.say("hello")
    assert capsys.readouterr().out == ""


def test_asking_twice_prints_once(capsys):
    announce.show_progress()
    announce.show_progress()
    announce.say("hello")
    assert capsys.readouterr().out == "hello\n"


def test_verbose_0_stops_the_printing_and_leaves_no_trace(capsys):
    announce.show_progress()
    announce.show_progress(verbose=0)
    announce.say("hello")
    assert capsys.readouterr().out == ""
    assert (PROJECTS.level, PROJECTS.propagate, PROJECTS.handlers) == (logging.NOTSET, True, [])


def test_a_root_handler_that_lets_it_through_shows_it_alone(capsys, users, caplog):
    announce.show_progress()
    with caplog.at_level(logging.INFO):
        announce.say("hello")
    assert users.getvalue() == "hello\n"
    assert capsys.readouterr().out == ""
    assert caplog.messages == ["hello"]


def test_a_root_handler_that_stops_it_does_not_stop_the_printing(capsys, users):
    announce.show_progress()
    announce.say("hello")
    assert users.getvalue() == ""
    assert capsys.readouterr().out == "hello\n"


def test_warnings_go_to_the_users_handlers_alone(capsys, users):
    announce.show_progress()
    PROJECTS.getChild("loading").warning("look")
    assert users.getvalue() == "look\n"
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("logger", [PROJECTS, PACKAGE], ids=["projects", "package"])
def test_a_level_of_the_users_decides(logger, capsys):
    logger.setLevel(logging.ERROR)
    announce.show_progress()
    announce.say("hello")
    announce.show_progress(verbose=0)
    assert capsys.readouterr().out == ""
    assert logger.level == logging.ERROR


def test_a_handler_of_the_users_on_the_logger_itself_is_all_there_is(capsys):
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    PROJECTS.addHandler(handler)
    PROJECTS.setLevel(logging.INFO)
    announce.show_progress()
    announce.say("hello")
    assert stream.getvalue() == "hello\n"
    assert capsys.readouterr().out == ""


def test_what_the_output_cannot_encode_is_shown_as_its_code(monkeypatch):
    raw = io.BytesIO()
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(raw, encoding="ascii"))
    announce.show_progress()
    announce.say("Ärger")
    assert raw.getvalue() == b"\\xc4rger\n"
