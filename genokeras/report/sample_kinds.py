"""What reports call the samples of a run, and say of a model that reads them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class SampleKind:
    """Words for one kind of samples.

    Attributes
    ----------
    sample : str
        One of them.
    reads : str
        What the delivered model takes.
    file : str
        Where new samples may lie, in an example.
    together : str
        What may hold several samples that belong together.
    limit : str
        What the model's reasons do not say.
    arrays : bool
        Whether samples are read from memory alone.
    """

    sample: str
    reads: str
    file: str
    together: str
    limit: str
    arrays: bool = False


GENES = SampleKind(
    sample="sample",
    reads="Raw values",
    file="new_samples.csv",
    together="the same donor",
    limit="Genes that matter to it need not cause anything.",
)
_ARRAYS = SampleKind(
    sample="sample",
    reads="Numbers as they were given",
    file="new_samples.npy",
    together="the same source",
    limit="Numbers that matter to it need not cause anything.",
    arrays=True,
)
_KINDS = {
    "mlp_module": _ARRAYS,
    "cnn_module": _ARRAYS,
    "sequence": SampleKind(
        sample="sequence",
        reads="Letters",
        file="new_sequences.fasta",
        together="the same chromosome or gene family",
        limit="Letters that matter to it need not do anything in a cell.",
    ),
    "image": SampleKind(
        sample="image",
        reads="Pixels as they came",
        file="folder_of_images",
        together="the same patient or slide",
        limit="Pixels that matter to it need not show what a person would look at.",
    ),
    "text": SampleKind(
        sample="text",
        reads="Words",
        file="new_texts.csv",
        together="the same author",
        limit="Words that matter to it need not be reasons.",
    ),
}


def sample_kind(settings: Mapping[str, Any]) -> SampleKind | None:
    """The words for a run with these settings; None where its samples are of a kind that reports do not know."""
    kind = settings.get("kind")
    return GENES if kind in (None, "genome") else _KINDS.get(str(kind))
