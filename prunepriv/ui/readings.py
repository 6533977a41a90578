"""Cache what was read from artifacts for all visitors: an artifact never changes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar, cast

import streamlit as st

from prunepriv.store.artifacts import Artifact
from prunepriv.store.result import (
    Result,
    read_chance,
    read_checks,
    read_choice,
    read_contrast,
    read_evaluation,
    read_gaps,
    read_records,
    read_report,
    read_scores,
    read_signals,
)

T = TypeVar("T")
Reader = Callable[[Artifact], Any]


def _kept(keep: Callable[..., Any], most: int, *readers: Reader) -> dict[Reader, Reader]:
    """Each reader with its own cache of at most ``most`` artifacts, by their keys."""
    by_key = {Artifact: lambda artifact: artifact.key}
    wrap = keep(max_entries=most, show_spinner=False, hash_funcs=by_key)
    return {reader: wrap(reader) for reader in readers}


KEPT: Mapping[Reader, Reader] = {
    **_kept(st.cache_resource, 4, read_signals),
    **_kept(st.cache_resource, 32, read_records),
    **_kept(st.cache_resource, 128, read_scores),
    **_kept(st.cache_data, 32, read_gaps),
    **_kept(st.cache_data, 64, read_evaluation, read_choice, read_chance, read_checks),
    **_kept(st.cache_data, 64, read_contrast),
    **_kept(st.cache_data, 128, read_report),
}
"""Large arrays are shared and must not be modified; small tables are copied for each caller."""


class KeptResult(Result):
    """A run's figures, each read from its artifact once for all visitors."""

    def read(self, step: str, reader: Callable[[Artifact], T]) -> T | None:
        return super().read(step, cast(Callable[[Artifact], T], KEPT.get(reader, reader)))
