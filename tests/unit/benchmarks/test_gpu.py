"""The large job's table, and its pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.gpu import GOALS, PEAK, table, write_pictures
from benchmarks.running import Job

SECONDS = {
    "train:0": 60.0,
    "fine_tune:pruned:1": 40.0,
    "signals:pruned:0": 5.0,
    "fit:nn:pruned": 7.0,
}


def job(seconds: float = 120.0) -> Job:
    steps: list[dict[str, Any]] = [{"step": step, "seconds": s} for step, s in SECONDS.items()]
    return Job(0.0, seconds, {"steps": steps})


def test_stages_and_speed() -> None:
    lines = table(job(), passes=1000, operations=2e9, on_gpu=True, goals=GOALS)
    assert "| training | 100.0 | 111, met |" in lines
    assert "| the whole job | 120.0 | 180, met |" in lines
    assert "| attacks | 7.0 | - |" in lines
    share = 10 * 2e9 / PEAK
    assert (
        lines[-1] == f"1,000 pictures in training, 10 a second, {share:.1%} of the peak of an H100"
    )


@pytest.mark.parametrize("on_gpu", [False, True])
def test_another_job_or_device_measures_no_goal(on_gpu: bool) -> None:
    lines = table(job(), passes=1000, operations=1.0, on_gpu=on_gpu, goals={})
    assert "| training | 100.0 | 111, not measured |" in lines


def test_a_goal_that_is_missed_is_said_to_be() -> None:
    lines = table(job(181.0), passes=1, operations=1.0, on_gpu=True, goals=GOALS)
    assert "| the whole job | 181.0 | 180, missed |" in lines


def test_pictures_have_a_pattern_per_class(tmp_path: Path) -> None:
    with np.load(write_pictures(tmp_path / "p.npz", 200, (3, 8, 8), 4)) as made:
        x, y = made["x"].astype(float), made["y"]
    assert x.shape == (200, 8, 8, 3)
    assert np.bincount(y).tolist() == [50] * 4
    means = np.stack([x[y == c].mean(axis=0) for c in range(4)])
    assert means.std(axis=0).mean() > 20, "classes differ"
    assert x[y == 0].std(axis=0).mean() > 20, "records differ"
