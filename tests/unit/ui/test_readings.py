"""Readings are cached by artifact and reader: arrays are shared, small tables are copied."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import streamlit as st

from prunepriv.plan import Target
from prunepriv.store.result import Result
from prunepriv.ui.readings import KeptResult


@pytest.fixture
def kept(finished: Result) -> Iterator[KeptResult]:
    st.cache_data.clear()
    st.cache_resource.clear()
    yield KeptResult(finished.store, finished.experiment)
    st.cache_data.clear()
    st.cache_resource.clear()


def test_arrays_are_shared_and_small_tables_are_copied(kept: KeptResult) -> None:
    target = Target("pruned")
    assert kept.signals("pruned") is kept.signals("pruned")
    assert kept.records("pruned") is kept.records("pruned")
    assert kept.scores("conf", target) is kept.scores("conf", target)
    first, second = kept.gaps("pruned"), kept.gaps("pruned")
    assert first is not None
    assert first is not second
    assert first.equals(second)


def test_readers_of_one_artifact_do_not_share_a_cache(kept: KeptResult, finished: Result) -> None:
    for kind in ("original", "pruned"):
        records, report = kept.records(kind), kept.model_report(kind)
        assert records is not None
        assert (records.confidence == finished.records(kind).confidence).all()
        assert report == finished.model_report(kind)
        assert kept.training_report(kind) == finished.training_report(kind)


def test_runs_that_share_an_artifact_share_its_cache(kept: KeptResult, finished: Result) -> None:
    other = finished.experiment.model_dump(mode="json") | {"defense": {"name": "none"}}
    other["models"] = ["original", "pruned"]
    again = KeptResult(finished.store, type(finished.experiment).model_validate(other))
    assert again.run_id != kept.run_id
    assert again.records("original") is kept.records("original")


def test_a_missing_step_is_not_cached_as_missing(kept: KeptResult) -> None:
    path = kept.store.path(kept.plan.key("checks"))
    away = path.with_name("away")
    path.rename(away)
    assert kept.checks() is None
    away.rename(path)
    assert kept.checks() is not None
