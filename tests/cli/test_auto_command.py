"""``genokeras auto`` end to end, on one small project."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import click
import numpy as np
import pytest
from click.testing import CliRunner, Result

import genokeras as gk
from genokeras.cli import main
from genokeras.cli.projects import CALLS, run_calls
from tests.signals import every, unhandled

__all__ = ["unhandled"]
IN_ORDER = ("In Hyper & Training Search stage", "In Evaluation stage", "In Prediction stage")


def write_project(folder: Path, **trainer: Any) -> Path:
    rng = np.random.default_rng(0)
    labels = np.arange(24) % 2
    x = rng.normal(size=(24, 12)) + 2.0 * labels[:, None] * (np.arange(12) < 4)
    np.savetxt(folder / "x.txt", x, fmt="%.4f")
    np.savetxt(folder / "y.txt", labels, fmt="%d")
    files = {"data_dir": str(folder), "features_file": "x.txt", "delimiter": " "}
    labelled = {"args": {**files, "labels_file": "y.txt"}}
    settings = {"hyper_selector": False, "max_steps": 8, "save_dir": str(folder / "out"), **trainer}
    config = {
        "name": "small",
        "model": {"type": "ResNet", "args": {"output_classes": 2}},
        "data_train": labelled,
        "data_evaluate": labelled,
        "data_predict": {"args": files},
        "trainer": settings,
        "param_spec": {"args": {"ResNet": {"n_latent": 4, "n_blocks": 1, "output_nonlinear": None}}},
    }
    path = folder / "small.json"
    path.write_text(f"// a comment\n{json.dumps(config)}", encoding="utf-8")
    return path


def genokeras_auto(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["auto", *map(str, arguments)])


@dataclass(frozen=True)
class Done:
    config: Path
    result: Result

    @property
    def outputs(self) -> list[str]:
        return sorted(
            path.name for path in (self.config.parent / "out" / "output_files" / "small").glob("*/*")
        )


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Done:
    config = write_project(tmp_path_factory.mktemp("auto"))
    return Done(config, genokeras_auto(config, "train", "evaluate", "predict"))


class Recorder:
    """A project that remembers what was called; a training that is interrupted may have saved its best."""

    def __init__(
        self, interrupted_in: str = "", number: int = signal.SIGINT, interrupted: bool = False
    ) -> None:
        self.called: list[str] = []
        self.interrupted = interrupted
        self._interrupted_in, self._number = interrupted_in, number

    def __getattr__(self, name: str) -> Any:
        def call() -> None:
            if name == self._interrupted_in:
                signal.raise_signal(self._number)
            self.called.append(name)

        return call


def test_the_calls_are_made_in_the_order_in_which_they_are_given(done: Done) -> None:
    assert done.result.exit_code == 0, done.result.output
    places = [done.result.stdout.index(stage) for stage in IN_ORDER]
    assert places == sorted(places)


def test_the_log_goes_to_standard_output_and_says_where_the_files_are(done: Done) -> None:
    assert done.result.stderr == ""
    assert f"Use the config from {done.config}" in done.result.stdout
    assert len(done.outputs) == 3
    for name in done.outputs:
        assert name in done.result.stdout


def test_a_model_of_an_earlier_command_predicts(done: Done) -> None:
    again = genokeras_auto(done.config, "predict")
    assert again.exit_code == 0 and "Restoring parameters from" in again.stdout
    assert IN_ORDER[0] not in again.stdout


def test_quiet_prints_nothing(done: Done) -> None:
    result = genokeras_auto(done.config, "evaluate", "--quiet")
    assert (result.exit_code, result.output) == (0, "")


@pytest.mark.parametrize("calls", [CALLS, CALLS[::-1], ("explain",), ("predict", "predict")])
def test_every_call_is_offered_in_any_order(calls: tuple[str, ...]) -> None:
    project = Recorder()
    run_calls(cast(gk.Project, project), calls)
    assert tuple(project.called) == calls


@pytest.mark.usefixtures("unhandled")
@every
@pytest.mark.parametrize(("call", "said"), [("train", "settled"), ("explain", "Interrupted in explain.\n")])
def test_an_interrupt_says_what_it_ended_and_stops_there(
    number: signal.Signals, call: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    project = Recorder(interrupted_in=call, number=number)
    with pytest.raises(click.exceptions.Exit) as ended:
        run_calls(cast(gk.Project, project), [call, "predict"])
    assert ended.value.exit_code == (130 if number == signal.SIGINT else 143) and project.called == []
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("calls", "code", "said"), [(["train"], 0, ""), (["train", "predict"], 130, "predict.")]
)
def test_behind_a_training_that_was_ended_early_no_more_calls_are_made(
    calls: list[str], code: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    project = Recorder(interrupted=True)
    with pytest.raises(click.exceptions.Exit) as ended:
        run_calls(cast(gk.Project, project), calls)
    assert ended.value.exit_code == code and project.called == ["train"]
    assert f"the best so far is saved.{said and ' Not done: '}{said} Run it again" in capsys.readouterr().err


def test_an_unknown_call_is_answered_with_the_known_ones() -> None:
    result = genokeras_auto("small.json", "train", "tests")
    assert result.exit_code == 2
    for call in CALLS:
        assert f"'{call}'" in result.stderr


def test_no_call_is_a_mistake() -> None:
    result = genokeras_auto("small.json")
    assert result.exit_code == 2 and "CALLS..." in result.stderr


def test_a_wrong_file_is_one_message_and_leaves_nothing_behind(tmp_path: Path) -> None:
    result = genokeras_auto(write_project(tmp_path, patiense=3, max_steps="many"), "train")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("Error: ") and "Traceback" not in result.stderr
    assert "trainer.patiense" in result.stderr and "trainer.max_steps" in result.stderr
    assert not (tmp_path / "out").exists()


def test_a_call_that_the_model_cannot_answer_is_refused_before_it_trains(tmp_path: Path) -> None:
    path = write_project(tmp_path)
    config = json.loads(path.read_text(encoding="utf-8").split("\n", 1)[1])
    config |= {"model": {"type": "VAE", "args": {}}, "param_spec": {"args": {"VAE": {}}}}
    for data in ("data_train", "data_evaluate"):
        del config[data]["args"]["labels_file"]
    path.write_text(json.dumps(config), encoding="utf-8")
    result = genokeras_auto(path, "train", "predict", "explain")
    assert result.exit_code == 2 and "predicts nothing that could be explained" in result.stderr
    assert not (tmp_path / "out").exists()


def test_predicting_before_training_says_what_to_do_first(tmp_path: Path) -> None:
    result = genokeras_auto(write_project(tmp_path), "predict")
    assert result.exit_code == 2 and "Call train first" in result.stderr


def test_the_help_is_80_columns_wide() -> None:
    text = genokeras_auto("--help").stdout
    assert "CONFIG CALLS..." in text and max(map(len, text.splitlines())) <= 80


@pytest.mark.slow
def test_a_closed_pipe_ends_the_command_in_silence(done: Done) -> None:
    """``genokeras auto CONFIG evaluate | head -1``, whose reader is gone before the first line."""
    code = "from genokeras.cli import main; main(prog_name='genokeras')"
    process = subprocess.Popen(
        [sys.executable, "-c", code, "auto", str(done.config), "evaluate"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None and process.stderr is not None
    process.stdout.close()
    with process.stderr as stderr:
        said = stderr.read()
    assert (process.wait(), said) == (1, "")


def test_the_help_imports_nothing_heavy() -> None:
    code = (
        "import sys\nfrom genokeras.cli import main\n"
        "try: main(['auto', '--help'])\n"
        "except SystemExit: pass\n"
        "print([m for m in ('tensorflow', 'keras', 'pandas', 'pydantic', 'json5') if m in sys.modules])"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stdout.endswith("[]\n")
