"""Estimators: the classes people use."""

from genokeras.estimators.genome import GenomeClassifier

__all__ = ["GenomeClassifier"]
