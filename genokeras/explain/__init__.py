"""Which genes, and how sure that is: attributions, marker tables, their stability, drawings, AutoGenome's files."""

from genokeras.explain.agreement import nogueira_index
from genokeras.explain.attributions import SampleExplanation, explain_rows
from genokeras.explain.explanation import Additivity, Explanation
from genokeras.explain.files import write_autogenome_files
from genokeras.explain.markers import marker_table, write_marker_tables
from genokeras.explain.models import explain_model
from genokeras.explain.motifs import Motif, filter_motifs, write_meme
from genokeras.explain.pairs import GenePairs, pairs_of_run
from genokeras.explain.plots import draw_output, draw_total, genes_size, plot_output, plot_total
from genokeras.explain.run_motifs import motifs_of, write_motifs_of
from genokeras.explain.runs import explain_run, training_rows
from genokeras.explain.stability import Stability, stability_of
from genokeras.explain.statistics import Association, class_changes, target_correlations

__all__ = [
    "Additivity",
    "Association",
    "Explanation",
    "GenePairs",
    "Motif",
    "SampleExplanation",
    "Stability",
    "class_changes",
    "draw_output",
    "draw_total",
    "explain_model",
    "explain_rows",
    "explain_run",
    "filter_motifs",
    "genes_size",
    "marker_table",
    "motifs_of",
    "nogueira_index",
    "pairs_of_run",
    "plot_output",
    "plot_total",
    "stability_of",
    "target_correlations",
    "training_rows",
    "write_autogenome_files",
    "write_marker_tables",
    "write_meme",
    "write_motifs_of",
]
