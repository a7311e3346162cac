"""Reports: what a run found, as pictures and as a page that holds them all."""

from genokeras.report.card import report_card
from genokeras.report.class_curves import plot_precision_recall, plot_roc
from genokeras.report.class_pictures import plot_calibration, plot_confusion_of
from genokeras.report.confusion import plot_confusion
from genokeras.report.curves import plot_metric, plot_search
from genokeras.report.diagnostics import Predictions, run_predictions
from genokeras.report.drawing import to_pdf, visualize
from genokeras.report.gene_files import write_explanation
from genokeras.report.html import write_report
from genokeras.report.picture import Picture
from genokeras.report.predicted import NumberPredictions, plot_predicted, plot_residuals
from genokeras.report.survival import SurvivalPredictions, plot_risk_groups, plot_survival_calibration
from genokeras.report.tree import SearchTree, TreeNode, search_tree
from genokeras.report.tree_figure import tree_figure

__all__ = [
    "NumberPredictions",
    "Picture",
    "Predictions",
    "SearchTree",
    "SurvivalPredictions",
    "TreeNode",
    "plot_calibration",
    "plot_confusion",
    "plot_confusion_of",
    "plot_metric",
    "plot_precision_recall",
    "plot_predicted",
    "plot_residuals",
    "plot_risk_groups",
    "plot_roc",
    "plot_search",
    "plot_survival_calibration",
    "report_card",
    "run_predictions",
    "search_tree",
    "to_pdf",
    "tree_figure",
    "visualize",
    "write_explanation",
    "write_report",
]
