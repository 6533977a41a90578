"""The adversary-knowledge matrix at the end of the Attacks page."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from prunepriv.experiment import Experiment, make_experiment
from prunepriv.plan import Target
from prunepriv.ui import launching
from tests.pages.conftest import Begin, Open, figure


def experiment(target: float, assumed: float | None = None, **more: Any) -> Experiment:
    return make_experiment(
        {
            "data": {"limit": 200},
            "shadows": 2,
            "models": ["pruned"],
            "attacks": {"names": ["conf", "top1_conf"]},
            "pruning": {"sparsity": target},
            "knowledge": {"sparsity": assumed},
            **more,
        }
    )


def test_cells_come_from_runs_that_differ_in_the_pruning_only(
    open_page: Open, begin: Begin
) -> None:
    results = {pair: begin(experiment(*pair)) for pair in ((0.7, 0.7), (0.7, 0.5), (0.9, 0.9))}
    begin(experiment(0.5, 0.5, seed=8))
    at = open_page("attacks", run=results[0.7, 0.7].run_id, attack="Top1-conf")
    assert not at.exception
    matrix = figure(at, "knowledge")
    words = [note["text"] for note in matrix["layout"]["annotations"]]
    assert words.count("not run") == 9 - 3
    assert len([s for s in matrix["layout"]["shapes"] if s["type"] == "rect"]) == 3
    z = matrix["data"][0]["z"]
    for (target, assumed), result in results.items():
        row = next(
            r for r in result.evaluation(Target("pruned", "adaptive")) if r["attack"] == "top1_conf"
        )
        place = [0.5, 0.7, 0.9].index
        assert z[place(target)][place(assumed)] == pytest.approx(row["accuracy"])
    sentence = next(m.value for m in at.markdown if "where it is wrong about it" in m.value)
    assert sentence.startswith("**In these runs of one seed, Top1-conf is right")
    one, other = (results[0.7, assumed] for assumed in (0.7, 0.5))
    drawn = [
        result.resampled(Target("pruned"), "accuracy", ["top1_conf"])["top1_conf"]
        for result in (one, other)
    ]
    low, high = (100 * end for end in np.percentile(drawn[1] - drawn[0], [2.5, 97.5]))
    interval = f"95 % interval {low:+.1f} to {high:+.1f}".replace("-", "\u2212")
    assert interval.replace("\u22120.0", "+0.0") in sentence, "paired on the same records"
    assert any("6 of 9 cells have not been run" in c.value for c in at.caption)


def test_missing_cells_are_launched_as_a_sweep(
    open_page: Open, begin: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    launched: list[Experiment] = []
    monkeypatch.setattr(launching, "launch_all", lambda runs, store: launched.extend(runs))
    at = open_page("attacks", run=begin(experiment(0.6)).run_id)
    assert not at.exception
    assert "no run on the same target yet shows an adversary" in " ".join(
        m.value for m in at.markdown
    )
    at.button(key="run_knowledge").click().run()
    assert not at.exception
    pairs = {(e.pruning.sparsity, e.knowledge.sparsity or e.pruning.sparsity) for e in launched}
    assert pairs == {(t, a) for t in (0.6, 0.7, 0.9) for a in (0.6, 0.7, 0.9)}


def test_an_original_has_no_pruning_to_know(open_page: Open, begin: Begin) -> None:
    given = experiment(0.7).model_dump(mode="json") | {"models": ["original", "pruned"]}
    run = begin(make_experiment(given)).run_id
    at = open_page("attacks", run=run, model="Original")
    assert not any(s.value == "What the adversary knows" for s in at.subheader)
