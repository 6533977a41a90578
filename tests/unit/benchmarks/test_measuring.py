"""Yardsticks, lines of the table, tables of any size, memory and fitted exponents."""

from __future__ import annotations

import subprocess
import sys
import time
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks import scaling, table
from benchmarks.memory import Memory, Sample, at_work
from benchmarks.own_tables import write_table
from benchmarks.running import Job
from benchmarks.scaling import Size, fit
from benchmarks.table.measuring import Bench, Line, Timed, markdown, merged
from benchmarks.table.rows import ROWS, default_run, estimate, first_histogram, is_target
from benchmarks.yardstick import OPERATIONS, PRODUCTS, SIDE, gigaflops_per_core, yardstick
from prunepriv.attacks import idle
from prunepriv.environment import cores
from prunepriv.experiment import make_experiment
from prunepriv.experiment.presets import presets
from prunepriv.store.catalog import Catalog
from prunepriv.store.own_data import import_data
from prunepriv.store.schema import StepView
from tests.unit.benchmarks.test_trace_records import EXPERIMENT, finish


def step(name: str, started: float | None = None, seconds: float = 1.0, pid: int = 1) -> StepView:
    begun = None if started is None else datetime.fromtimestamp(started, UTC)
    kind: Any = name.split(":", maxsplit=1)[0]
    return StepView(name, name, kind, "done", 1.0, "", "[]", begun, seconds, False, pid)


class TestYardstick:
    def test_it_is_two_million_million_operations(self) -> None:
        assert pytest.approx(OPERATIONS, rel=0.01) == PRODUCTS * 2 * SIDE**3

    def test_fewer_products_are_scaled(self, monkeypatch: pytest.MonkeyPatch) -> None:
        ticks = iter([10.0, 10.5])
        monkeypatch.setattr(time, "perf_counter", lambda: next(ticks))
        assert yardstick(products=1) == pytest.approx(0.5 * OPERATIONS / (2 * SIDE**3))

    def test_the_speed_of_a_core(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("benchmarks.yardstick.yardstick", lambda products: 10.0)
        assert gigaflops_per_core() == pytest.approx(200 / cores())


class TestLines:
    TIMED = Timed(seconds=24.0, yard=12.0)

    def test_seconds_and_yardsticks(self) -> None:
        line = self.TIMED.line("a run", (1.5, "yardsticks"))
        assert line.amounts == {"s": 24.0, "yardsticks": 2.0}
        part = self.TIMED.line("its first half", None, seconds=6.0)
        assert part.amounts == {"s": 6.0, "yardsticks": 0.5}

    def test_a_row_with_its_goal(self) -> None:
        line = self.TIMED.line("a run", (1.5, "yardsticks"))
        assert (
            markdown([line]) == "| a run | 24.00 | 2.00 | - | - | 1.5 yardsticks: 1.3 times it |  |"
        )
        met = self.TIMED.line("a run", (24.0, "s"))
        assert "| 24 s: met |" in markdown([met])
        off = Line("an estimate", {"%": 66.6}, None, "1 min told")
        assert markdown([off]) == "| an estimate | - | - | 67 | - | - | 1 min told |"

    def test_several_measurements_are_a_median_and_a_range(self) -> None:
        lines = [Line("a run", {"s": seconds}, (3.0, "s")) for seconds in (5.0, 2.0, 3.0)]
        assert merged(lines).amounts == {"s": 3.0}
        assert "| 3.00 (2.00-5.00) |" in markdown(lines)
        assert "| 3 s: met |" in markdown(lines)

    def test_work_is_timed_between_two_yardsticks(self, monkeypatch: pytest.MonkeyPatch) -> None:
        told: list[str] = []

        def measured(products: int) -> float:
            told.append(f"yardstick of {products}")
            return 10.0 + len(told)

        monkeypatch.setattr("benchmarks.table.measuring.yardstick", measured)
        result, timed = Bench(7).time(lambda: told.append("work") or 5)
        assert told == ["yardstick of 7", "work", "yardstick of 7"]
        assert result == 5
        assert timed.yard == (11.0 + 13.0) / 2


class TestRows:
    @pytest.mark.parametrize(
        ("name", "expected"),
        [
            ("signals:pruned", True),
            ("signals:pruned:0", True),
            ("signals:original:0", True),
            ("signals:pruned:3", False),
            ("signals:pruned:10", False),
            ("signals:assumed:pruned", False),
            ("signals:assumed:pruned:0", False),
            ("train:0", False),
            ("checks", False),
        ],
    )
    def test_the_target_s_signals(self, name: str, expected: bool) -> None:
        assert is_target(step(name)) is expected

    def test_the_first_histogram(self, catalog: Catalog) -> None:
        run_id = finish(catalog, EXPERIMENT)
        steps = catalog.steps(run_id)
        signals = next(one for one in steps if is_target(one))
        assert signals.started is not None
        began = signals.started.timestamp() - 5.0
        job = Job(began, 60.0, {"run": run_id})
        assert first_histogram(catalog.store, job) == pytest.approx(6.0)

    def test_the_estimate_is_of_the_run_that_is_started(self, catalog: Catalog) -> None:
        """The preset that the Run page starts from, with PPB, and the defended model attacked."""
        page = presets()["default"].made.model_dump(mode="json")
        models = [*page["models"], "defended"]
        attacked = make_experiment({**page, "defense": {"name": "ppb"}, "models": models})
        assert default_run("checkins", 7).run_id == attacked.run_id
        assert estimate(catalog.store, "checkins", 7) > 0

    def test_each_row_is_said_what_it_is(self) -> None:
        assert all(row.__doc__ for row in ROWS.values())

    def test_the_report_prints_each_row(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        counts = iter([1.0, 3.0, 2.0])
        rows = {"one": lambda bench: iter([Line("a thing", {"s": next(counts)}, (2.0, "s"))])}
        monkeypatch.setattr(table, "ROWS", rows)
        monkeypatch.setattr(table, "describe", lambda: "a machine")
        table.report([], repeats=3, products=1)
        printed = capsys.readouterr().out
        assert printed.count("a machine") == 2
        assert "| a thing | 2.00 (1.00-3.00) | - | - | - | 2 s: met |  |" in printed


class TestTables:
    def test_it_is_binary_and_its_classes_are_equally_large(self, tmp_path: Path) -> None:
        file = write_table(tmp_path / "one.npz", 1003, 50, 10)
        with np.load(file) as arrays:
            x, y = arrays["x"], arrays["y"]
        assert x.shape == (1003, 50)
        assert set(np.unique(x)) == {0, 1}
        assert set(np.bincount(y)) == {100, 101}

    def test_classes_can_be_told_apart_but_not_for_sure(self, tmp_path: Path) -> None:
        with np.load(write_table(tmp_path / "one.npz", 2000, 100, 5)) as arrays:
            x, y = arrays["x"].astype(float), arrays["y"]
        means = np.stack([x[y == c].mean(axis=0) for c in range(5)])
        right = np.mean(((x[:, None] - means) ** 2).sum(axis=2).argmin(axis=1) == y)
        assert right > 0.5

    def test_the_same_seed_gives_the_same_table(self, tmp_path: Path) -> None:
        files = [
            write_table(tmp_path / f"{n}.npz", 300, 20, 3, seed) for n, seed in enumerate((1, 1, 2))
        ]
        same, again, other = (np.load(file)["x"] for file in files)
        assert np.array_equal(same, again)
        assert not np.array_equal(same, other)

    def test_it_can_be_imported(self, tmp_path: Path) -> None:
        own = import_data(write_table(tmp_path / "one.npz", 400, 20, 3), tmp_path / "store")
        assert (own.records, own.shape, own.classes, own.kind) == (400, (20,), 3, "tabular")


class TestMemory:
    def test_a_child_and_its_peak_are_seen(self, tmp_path: Path) -> None:
        code = "import sys; kept = bytearray(200_000_000); print(1, flush=True); sys.stdin.read()"
        with Memory(tmp_path) as memory:
            child = subprocess.Popen(
                [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE
            )
            assert child.stdout is not None
            child.stdout.readline()
            memory._sample()
            child.communicate()
        assert memory.whole.together >= 200_000_000
        assert memory.largest.resident[child.pid] >= 200_000_000
        assert child.pid not in memory.samples[-1].resident

    def test_an_engine_started_earlier_is_seen(self, tmp_path: Path) -> None:
        (tmp_path / "engine.pid").write_text(str(psutil.Process().ppid()))
        with Memory(tmp_path) as memory:
            pass
        assert psutil.Process().ppid() in memory.samples[-1].resident

    def test_whose_peak_it_was(self) -> None:
        steps = [step("train:1", 10.0, 5.0, pid=1), step("fit:samia:pruned", 20.0, 5.0, pid=2)]
        assert at_work(steps, 12.0) == ["train:1"]
        assert at_work([*steps, step("data")], 16.0) == []
        memory = Memory(Path("none"), [
            Sample(11.0, 50, {1: 30, 2: 20}), Sample(14.0, 60, {1: 40, 2: 20}),
            Sample(17.0, 90, {1: 80, 2: 10}), Sample(21.0, 70, {1: 10, 2: 60}),
        ])  # fmt: skip
        assert memory.of_steps(steps) == {"train": 40, "fit:samia": 60}
        assert (memory.whole.at, memory.largest.largest) == (17.0, 80)


class TestScaling:
    @given(st.floats(0.2, 3.0), st.floats(1e-4, 10.0))
    def test_an_exact_power_is_found(self, exponent: float, first: float) -> None:
        sizes = [10.0, 20.0, 40.0, 80.0]
        growth = fit(sizes, [first * size**exponent for size in sizes])
        assert growth.exponent == pytest.approx(exponent)
        assert growth.last == pytest.approx(exponent)
        assert growth.low == pytest.approx(exponent, abs=1e-3)
        assert growth.high == pytest.approx(exponent, abs=1e-3)

    def test_a_constant_part_hides_less_at_the_end(self) -> None:
        sizes = [10, 20, 40, 80]
        growth = fit(sizes, [5 + 0.1 * size for size in sizes])
        assert growth.exponent < growth.last < 1.0
        assert growth.low < growth.exponent < growth.high

    def test_it_agrees_with_a_fit_of_another_library(self) -> None:
        sizes, seconds = [1.0, 2.0, 4.0, 8.0], [1.0, 2.1, 3.7, 9.0]
        slope = np.polyfit(np.log(sizes), np.log(seconds), 1)[0]
        assert fit(sizes, seconds).exponent == pytest.approx(slope)

    def test_a_run_is_measured_by_what_it_does(self, tmp_path: Path) -> None:
        quick = {
            "training": {"epochs": 1, "fine_tune_epochs": 1},
            "attacks": {"names": ["conf", "nn"]},
        }
        times = scaling.measure(tmp_path, Size(records=300, shadows=2, classes=3), 1, **quick)
        assert set(times) == {
            "training", "signals", "checks",
            "threshold attacks, fit", "threshold attacks, score",
            "attack network, fit", "attack network, score",
        }  # fmt: skip
        assert all(seconds > 0 for seconds in times.values())

    def test_steps_are_timed_by_the_processor(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        clocks = []

        def noted(*args: Any, threads: int) -> str:
            assert threads == idle.cores() == 1, "the processor's time is of all threads"
            clocks.append(time.perf_counter)
            raise InterruptedError

        monkeypatch.setattr(scaling, "run_inline", noted)
        before = time.perf_counter
        with pytest.raises(InterruptedError):
            scaling.measure(tmp_path, Size(records=300, shadows=2, classes=3), 1)
        assert clocks == [time.process_time]
        assert time.perf_counter is before

    def test_sizes_double_along_each_axis(self) -> None:
        for axis, sizes in scaling.AXES.items():
            values = [scaling.along(axis, size) for size in sizes]
            assert [b / a for a, b in pairwise(values)] == [2.0] * 3
        models = scaling.AXES["models"][0]
        assert scaling.along("models", models, "training") == models.shadows + 1
        assert scaling.along("models", models, "SAMIA, fit") == models.shadows
        for size in scaling.AXES["classes"]:
            assert size.shadows * 0.9 * size.records / 2 < 1_000_000 / size.classes
