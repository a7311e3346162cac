"""The motifs of a run on sequences."""

from __future__ import annotations

import os
import warnings
from pathlib import Path

from genokeras.encoders import TENSOR, BackboneEncoder, SequenceEncoder
from genokeras.engine import Run, TrialStore
from genokeras.errors import ParameterError
from genokeras.explain.motifs import Motif, filter_motifs, write_meme

# Networks whose filters are shown where linear models alone are delivered.
_LOOKED_AT = 3


def motifs_of(run: Run) -> list[Motif]:
    """The motifs of all networks that a run on sequences delivers, or of its best ones; those with most information first.

    Parameters
    ----------
    run : Run
        With its samples.

    Raises
    ------
    ParameterError
        If its networks do not read letters, but what a backbone makes of them.
    """
    if isinstance(run.problem.encoder, BackboneEncoder):
        raise ParameterError(
            "motifs are filters of networks that grew on letters; this run searched heads of a backbone. explain(x) tells "
            "which letters count."
        )
    store, found = TrialStore(run.folder), []
    networks = [trial for trial in run.history.ranked() if trial.proposal.hyper.view == TENSOR]
    delivered = [trial for trial in networks if trial.id in run.delivery.shares]
    for trial in delivered or networks[:_LOOKED_AT]:
        weights = store.father(trial).weights
        codes = run.problem.rows["codes"]
        found += filter_motifs(trial.proposal.graph, weights, codes, f"trial_{trial.id}")
    return sorted(found, key=lambda motif: -motif.information)


def write_motifs_of(run: Run, path: str | os.PathLike[str]) -> Path:
    """Write the motifs of a run as a MEME file; of sequences that have a direction, as those of one strand.

    A warning says where there are none.

    Raises
    ------
    ParameterError
        As in `motifs_of`.
    RunFolderError
        If the file cannot be written.
    """
    motifs, encoder = motifs_of(run), run.problem.encoder
    assert isinstance(encoder, SequenceEncoder)
    if not motifs:
        tried = any(trial.proposal.hyper.view == TENSOR for trial in run.history.ok())
        why = (
            "no filter of its networks answers to any sequence"
            if tried
            else "no network was trained, linear models alone"
        )
        warnings.warn(
            f"there are no motifs in the run {str(run.folder.path)!r}: {why}. A larger time_limit or max_trials lets it try more networks.",
            stacklevel=3,
        )
    return write_meme(motifs, path, encoder.strands)
