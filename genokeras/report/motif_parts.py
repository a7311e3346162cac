"""A report's part on the motifs that networks on sequences look for."""

from __future__ import annotations

from dataclasses import replace

from genokeras.encoders import SequenceEncoder
from genokeras.engine import Problem, Run, read_problem
from genokeras.errors import ParameterError, RunFolderError
from genokeras.explain import Motif, motifs_of
from genokeras.report.logos import MOST_MOTIFS, plot_logos
from genokeras.report.page import Pictures, paragraph, table
from genokeras.support.wording import counted

_HEAD = ("motif", "consensus", "bits", "sites")


def motif_parts(run: Run, pictures: Pictures) -> list[str]:
    """HTML of the motifs with most information, a logo each; nothing of other samples, or where no network looks for motifs."""
    if run.kind != SequenceEncoder.kind:
        return []
    try:
        whole = run if isinstance(run.rows, Problem) else replace(run, rows=read_problem(run.folder))
        motifs = distinct_motifs(motifs_of(whole))
    except (ParameterError, RunFolderError) as error:  # a run may be kept without its sequences
        return [paragraph(f"There are no motifs here: {error}", "faint")]
    if not motifs:
        return []
    picture = plot_logos(motifs)
    rows = [
        (motif.name, motif.consensus, f"{motif.information:.1f}", motif.n_sites)
        for motif in motifs[:MOST_MOTIFS]
    ]
    said = f"{counted(len(motifs), 'motif')} of the delivered networks, or of the best ones; those with most information are shown."
    more = "write_motifs() of the estimator, and genokeras explain, write all of them for the tools of the MEME suite."
    return [
        paragraph(f"{said} {more}"),
        pictures.figure(picture, picture.alt),
        table("Motifs", _HEAD, rows, numbers=[2, 3], long=[0]),
    ]


def distinct_motifs(motifs: list[Motif]) -> list[Motif]:
    """The motifs without those whose consensus was seen before: filters of several folds find the same."""
    first: dict[str, Motif] = {}
    for motif in motifs:
        first.setdefault(motif.consensus, motif)
    return list(first.values())
