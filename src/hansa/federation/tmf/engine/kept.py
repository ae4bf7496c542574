"""Mere records: kept whole for the party that made them, in one table for all resources."""

from __future__ import annotations

from hansa.federation.tmf.engine.model import Source


def kept() -> Source:
    """The source of a resource whose things are records and nothing else."""
    raise NotImplementedError
