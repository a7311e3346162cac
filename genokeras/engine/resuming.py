"""Going on with a run: it has to be of the same data and settings."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from genokeras.data import relative_weights
from genokeras.engine.problem import PARTS, Problem
from genokeras.engine.problem_files import (
    has_problem,
    read_fingerprint,
    read_groups,
    read_problem,
    read_scored_rows,
    read_task_of,
)
from genokeras.engine.run import tell_damage
from genokeras.engine.settings import Prepared, RunSettings
from genokeras.engine.store import TrialStore
from genokeras.errors import RunFolderError
from genokeras.searchers import History
from genokeras.support import RunFolder
from genokeras.support.wording import listed
from genokeras.tasks.classes import Classes
from genokeras.tasks.output_names import same_names


def resumed(prepared: Prepared, settings: RunSettings) -> tuple[RunFolder, Problem, History] | None:
    """The run to resume, or None to begin a new one.

    Raises
    ------
    RunFolderError
        If the run is of other data or settings; says which differ.
    """
    if not settings.resume or not RunFolder.exists(settings.path):
        return None
    folder = RunFolder(settings.path)
    if not has_problem(folder):
        return None
    check_same(folder, prepared, settings)
    folder.record("resumed")
    return folder, read_problem(folder), _sound_history(folder)


def check_same(folder: RunFolder, prepared: Prepared, settings: RunSettings) -> None:
    """See that a run is of these data and settings.

    Raises
    ------
    RunFolderError
        If it is not; says what differs.
    """
    _check_backbone(folder, prepared)
    other = _other_parts(folder, prepared)
    if other:
        held = f"{folder.settings.get('source')}: {folder.settings.get('n_samples')} samples"
        weights = (
            " Weights are those of samples times those of class_weight." if "sample_weight" in other else ""
        )
        raise RunFolderError(
            f"cannot resume {str(folder.path)!r}: it was run with {' and '.join(_named(other, folder, prepared))} ({held}) than now "
            f"({prepared.words}). Resume with the same data, or give another path.{weights}"
        )
    _check_names(folder, prepared)
    asked, kept = settings.asked, folder.settings["settings"]
    different = [
        f"{name}={asked[name]!r} (the run has {kept.get(name)!r})"
        for name in asked
        if asked[name] != kept.get(name)
    ]
    if different:
        raise RunFolderError(
            f"cannot resume {str(folder.path)!r} with other settings: {', '.join(different)}."
        )


def _sound_history(folder: RunFolder) -> History:
    """The trials of a run that goes on; damaged ones are left out, with a warning."""
    folder.tidy()
    store = TrialStore(folder)
    history, lines = store.history(whole=True), folder.damaged_lines()
    said = [f"lines of the journal are damaged: {', '.join(map(str, lines))}"] if lines else []
    tell_damage(folder, [*store.sayings(), *said], write=True)
    return history


def _check_backbone(folder: RunFolder, prepared: Prepared) -> None:
    held = folder.settings.get("backbone")
    if held != prepared.described.get("backbone"):
        what = "with another backbone" if held else "without a backbone"
        raise RunFolderError(
            f"{str(folder.path)!r} was run {what}. Resume with the same one, or give another path."
        )


def _check_names(folder: RunFolder, prepared: Prepared) -> None:
    """See that outputs go by the names of the run, which its answers carry; the targets themselves are numbers."""
    key = read_task_of(folder).names_key
    if key not in folder.settings or key not in prepared.described:
        return
    held, now = ([str(name) for name in said[key]] for said in (folder.settings, prepared.described))
    if not same_names(held, now, of_classes=key == Classes.names_key):
        raise RunFolderError(
            f"cannot resume {str(folder.path)!r}: it was run with the {key} {listed(held)}; now they are {listed(now)}. Resume with the "
            "same names, or give another path."
        )


def _other_parts(folder: RunFolder, prepared: Prepared) -> list[str]:
    """Which parts of the problem differ from those of the run."""
    held, now = read_fingerprint(folder), prepared.fingerprint
    if folder.settings.get("task", "classes") != prepared.described["task"]:
        return [f"task ({folder.settings.get('task', 'classes')} in place of {prepared.described['task']})"]
    if folder.settings.get("n_samples") != prepared.described["n_samples"]:
        return ["samples"]
    if held:
        other = [name for name in PARTS if held.get(name) != now[name]]
        # The digests of runs that are older than `relative_weights` are of the weights as they were given.
        alike = "sample_weight" in other and _weighted_alike(folder, prepared)
        return [name for name in other if not (alike and name == "sample_weight")]
    other = [] if folder.settings.get("data_fingerprint") == prepared.old_fingerprint() else ["data"]
    groups = read_groups(folder)
    if not _weighted_alike(folder, prepared):
        other.append("sample_weight")
    none = np.empty(0)
    held_groups = none if groups is None else groups
    alike = np.array_equal(held_groups, none if prepared.groups is None else prepared.groups)
    return other if alike else [*other, "groups"]


def _named(other: list[str], folder: RunFolder, prepared: Prepared) -> list[str]:
    """What messages call the parts that differ; samples whose genes differ, by these."""
    genes = _other_genes(folder.settings.get("feature_names") or [], prepared.described["feature_names"])
    return [genes if genes and name in ("samples", "data") else f"other {name}" for name in other]


def _other_genes(held: Sequence[str], now: Sequence[str]) -> str:
    """How the genes of a run differ from those now; nothing where they do not."""
    there, here = set(held), set(now)
    lost, new = [name for name in held if name not in here], [name for name in now if name not in there]
    if lost or new:
        return f"other genes (now {'without' if lost else 'with'} {listed(lost or new, 5)})"
    return "" if list(held) == list(now) else "another order of the genes"


def _weighted_alike(folder: RunFolder, prepared: Prepared) -> bool:
    """Whether the weights of the samples are those of the run, but for a factor."""
    held = read_scored_rows(folder).sample_weight
    now = prepared.sample_weight
    return len(held) == len(now) and np.allclose(relative_weights(held), relative_weights(now), 1e-6, 0.0)
