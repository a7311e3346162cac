"""Lets tools that look for ``setup.py`` build the package; everything they need stands in pyproject.toml."""

from setuptools import setup

setup()
