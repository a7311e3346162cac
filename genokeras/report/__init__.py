"""Reports: what a run found, as pictures."""

from genokeras.report.drawing import to_pdf, visualize

__all__ = ["to_pdf", "visualize"]
