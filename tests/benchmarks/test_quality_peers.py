from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks.quality.peers import HERE, PEERS, Peer, find_peers, install_peers

WORKERS = HERE / "workers"
X, Y, X_TEST = np.arange(12.0).reshape(6, 2), np.array([0, 0, 0, 1, 1, 2]), np.ones((4, 2))
FREQUENCIES = np.tile([3 / 6, 2 / 6, 1 / 6], (4, 1))


def peer_of(folder: Path, body: str, grace: float = 60.0) -> Peer:
    """A peer whose worker serves ``fit``, written as the lines of a function of ``task``."""
    lines = "\n    ".join(body.strip().splitlines())
    script = folder / "worker.py"
    script.write_text(
        f"import sys, time\nsys.path.insert(0, {str(WORKERS)!r})\n"
        f"import numpy as np\nfrom serving import Result, serve, by_class\n"
        f"def fit(task):\n    {lines}\nserve(fit)\n"
    )
    return Peer(Path(sys.executable), script, grace)


def test_a_worker_gets_the_task_and_gives_probabilities_estimate_and_facts(tmp_path: Path) -> None:
    peer = peer_of(
        tmp_path,
        """
assert task.n_classes == 3 and list(task.groups) == [0, 0, 1, 1, 2, 2]
predict = lambda x: np.full((len(x), 3), x.sum() / 24) + task.x[0, 0]
return Result(predict, {"log_loss": 0.5}, {"seconds": task.seconds})
""",
    )
    fitted = peer.fit(X, Y, np.array([0, 0, 1, 1, 2, 2]), 7.0)
    np.testing.assert_allclose(fitted.predict(X_TEST), 1 / 3)
    assert fitted.estimate == {"log_loss": 0.5}
    assert fitted.facts["seconds"] == 7.0
    assert fitted.facts.keys() == {"seconds", "fit_seconds", "predict_seconds"}


def test_seconds_are_read_around_fitting_and_around_predicting(tmp_path: Path) -> None:
    peer = peer_of(tmp_path, "return Result(lambda x: np.ones((len(x), 3)) / 3)")
    clock = "import time; time.perf_counter = iter([10.0, 12.0, 15.0]).__next__"
    peer.worker.write_text(peer.worker.read_text().replace("serve(fit)", f"{clock}\nserve(fit)"))
    fitted = peer.fit(X, Y, None, 1.0)
    fitted.predict(X_TEST)
    assert (fitted.facts["fit_seconds"], fitted.facts["predict_seconds"]) == (2.0, 3.0)


def test_a_worker_that_raises_counts_as_class_frequencies_and_says_why(tmp_path: Path) -> None:
    fitted = peer_of(tmp_path, "raise MemoryError('too many genes')").fit(X, Y, None, 1.0)
    np.testing.assert_allclose(fitted.predict(X_TEST), FREQUENCIES)
    assert fitted.facts["failed"] == "exit code 1: MemoryError: too many genes"
    assert fitted.estimate == {}


def test_a_worker_that_does_not_end_is_ended(tmp_path: Path) -> None:
    fitted = peer_of(tmp_path, "time.sleep(600)", grace=0.5).fit(X, Y, None, 0.5)
    np.testing.assert_allclose(fitted.predict(X_TEST), FREQUENCIES)
    assert fitted.facts["failed"] == "ended after 1 s without an answer"


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("np.ones((len(x), 2))", "expected probabilities of shape (4, 3), got (4, 2)"),
        ("np.full((4, 3), np.nan)", "NaN"),
    ],
)
def test_an_answer_that_is_no_probabilities_counts_as_failed(
    tmp_path: Path, answer: str, reason: str
) -> None:
    fitted = peer_of(tmp_path, f"return Result(lambda x: {answer})").fit(X, Y, None, 1.0)
    np.testing.assert_allclose(fitted.predict(X_TEST), FREQUENCIES)
    assert reason in fitted.facts["failed"]


def test_a_class_that_the_peer_dropped_gets_probability_zero(tmp_path: Path) -> None:
    peer = peer_of(
        tmp_path, "return Result(lambda x: by_class(np.ones((len(x), 2)) / 2, np.array([2, 0]), 3))"
    )
    np.testing.assert_allclose(peer.fit(X, Y, None, 1.0).predict(X_TEST), np.tile([0.5, 0, 0.5], (4, 1)))


def test_a_peer_without_environment_names_the_command_that_makes_it(tmp_path: Path) -> None:
    with pytest.raises(
        SystemExit, match=f"python -m benchmarks.quality peers --envs {tmp_path} flaml autokeras$"
    ):
        find_peers(["svm", "flaml", "autokeras"], tmp_path)
    with pytest.raises(SystemExit, match="flaml needs --envs"):
        find_peers(["flaml"], None)


def test_tools_that_are_no_peers_need_no_environments() -> None:
    assert find_peers(["svm", "forest"], None) == {}


def test_an_environment_is_found_while_the_requirements_are_those_it_was_made_for(tmp_path: Path) -> None:
    (tmp_path / "flaml").mkdir()
    copy = tmp_path / "flaml" / "requirements.txt"
    copy.write_bytes((HERE / "requirements" / "flaml.txt").read_bytes())
    peer = find_peers(["flaml"], tmp_path)["flaml"]
    assert peer.python == tmp_path / "flaml" / "bin" / "python"
    copy.write_text("flaml==1.0\n")
    with pytest.raises(SystemExit, match="no finished environment"):
        find_peers(["flaml"], tmp_path)


def test_a_misspelt_peer_is_refused_before_anything_is_installed(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="no peer 'autogloun'.*Did you mean 'autogluon'"):
        install_peers(["autogloun"], tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", PEERS)
def test_every_peer_has_requirements_and_a_worker_without_genokeras(name: str) -> None:
    assert (HERE / "requirements" / f"{name}.txt").exists()
    assert "genokeras" not in (WORKERS / f"fit_{name}.py").read_text()
