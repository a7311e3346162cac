"""A model that was exported, and the JSON file beside it: predictions of new samples without the run they come from."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import numpy as np

from genokeras.data import align_features
from genokeras.data.block import Block
from genokeras.encoders import Encoder, SequenceEncoder, TableEncoder, TextEncoder, checked_answers, predict
from genokeras.encoders.files import encoder_from_dict
from genokeras.encoders.text import STRINGS, of_strings
from genokeras.engine.model_files import FORMAT, sidecar_path
from genokeras.errors import ExportError
from genokeras.estimators.content import ContentKind, Given, names_of
from genokeras.estimators.faces import HALF
from genokeras.estimators.gene_content import Genes
from genokeras.estimators.image import Images
from genokeras.estimators.sequence import Sequences
from genokeras.estimators.survival import checked_times
from genokeras.estimators.text import Texts
from genokeras.support.json_files import read_json
from genokeras.support.keras_files import load_keras
from genokeras.support.precision import single_precision
from genokeras.tasks.known import read_task
from genokeras.tasks.survival import Cox, Survival
from genokeras.tasks.survival_times import Steps

# First words of the estimators of such samples, and how these are read.
_KINDS: dict[str, tuple[str, ContentKind]] = {
    "genome": ("Genome", Genes()),
    "sequence": ("Sequence", Sequences()),
    "image": ("Image", Images()),
    "text": ("Text", Texts()),
}


@dataclass(frozen=True, eq=False)
class ExportedModel:
    """A model with what its JSON file says; it predicts as the estimator does that exported it.

    Attributes
    ----------
    model : keras.Model
    about : mapping
        The JSON file.
    encoder : Encoder
    reads : str
        First word of the estimators of such samples: "Genome", "Sequence", "Image" or "Text".
    content : ContentKind
    """

    model: Any
    about: Mapping[str, Any]
    encoder: Encoder
    reads: str
    content: ContentKind

    @property
    def feature_names_in_(self) -> tuple[str, ...]:
        """The features of a table."""
        return tuple(self.about.get("feature_names", ()))

    @property
    def blocks_(self) -> tuple[Block, ...]:
        """The blocks of a table, where there are several."""
        return tuple(map(Block.from_dict, self._reading.get("blocks", ())))

    @property
    def drop_columns(self) -> tuple[str, ...]:
        """Columns of tables that the model was fitted without."""
        return tuple(self._reading.get("drop_columns", ()))

    @property
    def layer(self) -> str | None:
        """Which of several matrices of a file is read."""
        held = self._reading.get("layer")
        return None if held is None else str(held)

    @property
    def missing_blocks(self) -> str:
        """What becomes of samples that lack a block."""
        return str(self._reading.get("missing_blocks", "drop"))

    @property
    def _reading(self) -> Mapping[str, Any]:
        held: Mapping[str, Any] = self.about.get("reading", {})
        return held

    @single_precision()
    def _answers(self, x: Any, extra: Any = None) -> np.ndarray:
        """``(n_samples, n_outputs)`` float32."""
        fills = self.about.get("missing") == "median" and self._reading.get("fills", True)
        given = Given(
            x,
            extra=extra,
            missing="keep" if fills else "error",
            drop_columns=self.drop_columns,
            genes=self.feature_names_in_,
            blocks=self.blocks_,
            missing_blocks=self.missing_blocks,
            layer=self.layer,
        )
        samples: Any = self.content.read(given)
        if isinstance(self.encoder, TableEncoder):
            samples = align_features(samples, self.feature_names_in_)
        if isinstance(self.encoder, SequenceEncoder):  # of texts, the model alone may have the words
            Sequences().warn_of_unread(samples, self.encoder)
        rows = self.encoder.rows(samples)
        return checked_answers(predict(self.model, self.encoder, rows), names_of(samples))


@final
class ExportedClassifier(ExportedModel):
    """Of classes, or of labels that do not exclude each other."""

    @property
    def classes_(self) -> np.ndarray:
        """``(n_outputs,)``."""
        return np.asarray(self.about["labels"] if self._of_labels else self.about["classes"])

    @property
    def _of_labels(self) -> bool:
        return "labels" in self.about

    def predict_proba(self, x: Any, extra: Any = None) -> np.ndarray:
        """Probabilities ``(n_samples, n_outputs)`` float32, in the order of ``classes_``."""
        return self._answers(x, extra)

    def decide(self, probabilities: np.ndarray) -> np.ndarray:
        """The class of each sample ``(n_samples,)``, by the threshold where there is one; of labels 0 or 1 for each."""
        if self._of_labels:
            return (probabilities >= HALF).astype(np.int64)
        threshold = self.about.get("threshold")
        if threshold is None:
            return np.asarray(self.classes_[probabilities.argmax(axis=1)])
        positive = self.classes_.tolist().index(threshold["class"])
        above = probabilities[:, positive].astype("float64") >= threshold["value"]
        return np.asarray(self.classes_[np.where(above, positive, 1 - positive)])

    def predict(self, x: Any, extra: Any = None) -> np.ndarray:
        """The class of each sample, ``(n_samples,)``; of labels ``(n_samples, n_labels)``."""
        return self.decide(self.predict_proba(x, extra))


@final
class ExportedRegressor(ExportedModel):
    """Of numbers, such as the survival at some times."""

    @property
    def targets_(self) -> tuple[str, ...]:
        """What the numbers are called."""
        return tuple(map(str, self.about["targets"]))

    def predict(self, x: Any, extra: Any = None) -> np.ndarray:
        """Numbers ``(n_samples,)`` float64; of several targets ``(n_samples, n_targets)``."""
        answers = self._answers(x, extra).astype("float64")
        return answers[:, 0] if answers.shape[1] == 1 else answers


@final
class ExportedSurvival(ExportedModel):
    """Of how soon an event comes."""

    @property
    def baseline_(self) -> Steps:
        """Cumulative hazard of a sample whose ``predict`` is 0."""
        return Steps.from_dict(self.about["baseline"])

    @property
    def _task(self) -> Survival:
        task = read_task(self.about["task"])
        assert isinstance(task, Survival)
        return task

    def predict(self, x: Any) -> np.ndarray:
        """The higher, the sooner the event, ``(n_samples,)`` float64."""
        return self._task.survival_answers.risk(self._answers(x).astype("float64"))

    def predict_survival_function(self, x: Any, times: Any) -> np.ndarray:
        """``(n_samples, n_times)`` the probability that the event has not come by each of some times."""
        at, task = checked_times(times), self._task
        places = self.baseline_.at(at) if isinstance(task, Cox) else task.places(at)
        answers = self._answers(x).astype("float64")
        return np.asarray(task.survival_answers.curves(answers, places), dtype="float64")


def load_exported(path: str | os.PathLike[str]) -> ExportedModel:
    """Read a ``.keras`` file that an estimator exported, with the JSON file beside it.

    Parameters
    ----------
    path : path-like
        What ``export_keras_model`` returned.

    Raises
    ------
    ExportError
        If one of the two files is missing or damaged, they do not belong together, or samples of this kind cannot be read without
        the run.
    NewerFormatError
        If a newer GenoKeras wrote the JSON file.
    """
    file = Path(path)
    about = read_about(file)
    try:
        model = load_keras(file, ExportError)
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise ExportError(f"cannot read the model {str(file)!r}: {error}") from error
    try:
        reads, content = _KINDS[_kind_of(about)]
        encoder = _encoder_of(about)
        found = _face_of(about)(model, about, encoder, reads, content)
        _check_together(found, file)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ExportError(f"{str(sidecar_path(file))!r} is incomplete: {error}.") from error
    return found


def read_about(file: Path) -> dict[str, Any]:
    """The JSON file of an exported model, as far as it can be checked without the model.

    Raises
    ------
    ExportError
        If there is none, it is damaged, or says that samples cannot be read without the run.
    NewerFormatError
        If a newer GenoKeras wrote it.
    """
    beside = sidecar_path(file)
    if not beside.is_file():
        raise ExportError(
            f"{str(file)!r} has no JSON file beside it, which names the features that the model reads and what it answers: expected "
            f"{str(beside)!r}. export_keras_model writes both; copy it there, too."
        )
    about = read_json(beside, format=FORMAT, error=ExportError)
    kind = _kind_of(about)
    if kind not in _KINDS:
        raise ExportError(
            f"{str(file)!r} reads {kind} samples, and only of {', '.join(_KINDS)} does the JSON file say enough to read new ones: predict "
            "with the run folder."
        )
    if kind == TextEncoder.kind and "encoder" not in about and not _reads_strings(about):
        raise ExportError(
            f"{str(file)!r} reads {', '.join(about.get('inputs', ()))} of texts, which the JSON file does not say how to make: predict with the "
            "run folder."
        )
    if about.get("reading", {}).get("adapt"):
        raise ExportError(
            f"{str(file)!r} was fitted to cohorts with adapt={about['reading']['adapt']!r}, and its files do not hold what new ones are "
            "adapted to: predict with the run folder."
        )
    return about


def _kind_of(about: Mapping[str, Any]) -> str:
    """The kind of samples; files of earlier versions tell of tables by their features only."""
    return str(about.get("kind") or ("genome" if "feature_names" in about else "other"))


def _reads_strings(about: Mapping[str, Any]) -> bool:
    return list(about.get("inputs", ())) == [STRINGS]


def _encoder_of(about: Mapping[str, Any]) -> Encoder:
    if _kind_of(about) == TextEncoder.kind and "encoder" not in about:
        return of_strings()
    if _kind_of(about) != "genome":
        return encoder_from_dict(about["encoder"])
    blocks = tuple(map(Block.from_dict, about.get("reading", {}).get("blocks", ())))
    return TableEncoder(tuple(about["feature_names"]), {}, None, blocks)


def _face_of(about: Mapping[str, Any]) -> type[ExportedModel]:
    if "classes" in about or "labels" in about:
        return ExportedClassifier
    return ExportedSurvival if "baseline" in about and "times" not in about else ExportedRegressor


def _check_together(found: ExportedModel, file: Path) -> None:
    """See that the model is of the shape that the JSON file speaks of."""
    wanted: dict[str, tuple[int | None, ...]]
    if isinstance(found.encoder, TableEncoder):
        wanted = {name: (None, width) for name, width in found.encoder.inputs.items()}
    elif isinstance(found.encoder, TextEncoder):
        every = {STRINGS: (), "tokens": (found.encoder.length,), "ngrams": (found.encoder.n_counts,)}
        said = [STRINGS] if "encoder" not in found.about else ["tokens", "ngrams"]
        read = [tensor.name for tensor in found.model.inputs if tensor.name in said]
        wanted = {name: (None, *every[name]) for name in read or said}
    else:
        wanted = {tensor.name: tuple(tensor.shape) for tensor in found.model.inputs}
    got = {tensor.name: tuple(tensor.shape) for tensor in found.model.inputs}
    outputs = found.model.output_shape[-1]
    named = len(found.about.get("classes") or found.about.get("labels") or found.about["targets"])
    if got != wanted or outputs != named:
        raise ExportError(
            f"{str(file)!r} and {str(sidecar_path(file))!r} do not belong together: the model reads {got} and answers {outputs} numbers, "
            f"and the JSON file speaks of {wanted} and {named}."
        )
