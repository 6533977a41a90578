"""Sweeps on many workers: the grid, its times and its critical path."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import simulate
from benchmarks.simulate import Grid, lay_out, outcomes, read_rates, save_rates, with_rates
from prunepriv.estimates.throughput import Sort, Throughput, sort_of, units
from prunepriv.experiment import make_experiment
from prunepriv.experiment.presets import get_sweep
from prunepriv.plan import plan
from prunepriv.store.catalog import Catalog
from tests.unit.estimates.small_runs import SECONDS, Fixed, small, sparsities

SPEED = 50.0
KNOWN = Throughput([((kind,), 1e-9) for kind in SECONDS])


def grid(*seconds: tuple[float, tuple[str, ...]]) -> Grid:
    """Steps a, b, c and so on of one run, each with its seconds and inputs."""
    experiment = small()
    names = "abcdefgh"[: len(seconds)]
    steps = dict(zip(names, plan(experiment).steps, strict=False))
    made = Grid(
        steps=steps,
        experiments=dict.fromkeys(names, experiment),
        seconds={name: one for name, (one, _) in zip(names, seconds, strict=True)},
        sources=dict.fromkeys(names, "measured"),
    )
    made.__dict__["waits"] = {n: inputs for n, (_, inputs) in zip(names, seconds, strict=True)}
    return made


def seconds_of(made: Grid, *kinds: str) -> float:
    """Of all steps, or of those of some kinds, by SECONDS: shadows' steps take no time."""
    steps = (step for step in made.steps.values() if not kinds or step.kind in kinds)
    return sum(SECONDS[step.kind] for step in steps if not step.number)


def test_speed_up_by_hand() -> None:
    """A chain of 4 s beside two steps of 2 s."""
    made = grid((2.0, ()), (2.0, ()), (2.0, ("a",)), (2.0, ()))
    assert (made.work, made.chain, made.chain_seconds) == (8.0, ("a", "c"), 4.0)
    one, two, three = outcomes(made, (1, 2, 3))
    assert (one.wall, one.idle) == (8.0, 0.0)
    assert (two.wall, two.idle) == (4.0, 0.0)
    assert (three.wall, three.idle) == (4.0, pytest.approx(1 / 3))


def test_the_engine_s_order_is_compared_with_the_longest_chains_first() -> None:
    """In the list's order the chain begins last."""
    made = grid((1.0, ()), (1.0, ()), (3.0, ()), (3.0, ("c",)))
    (two,) = outcomes(made, (2,))
    assert (two.wall, two.chains_first) == (7.0, 6.0)


def test_runs_share_their_base_models() -> None:
    alone = lay_out([small()], Fixed(SECONDS), SPEED, own_cost=0.0)
    assert alone.work == seconds_of(alone)
    both = lay_out(sparsities(0.5, 0.7), Fixed(SECONDS), SPEED, own_cost=0.0)
    shared = seconds_of(alone, "data", "split", "train")
    assert both.work == 2 * alone.work - shared
    by_kind = {step.kind: both.experiments[key] for key, step in both.steps.items()}
    assert by_kind["data"].pruning.sparsity == 0.5, "the first run that needs it"
    assert by_kind["fine_tune"].pruning.sparsity == 0.7, "of the last in the list"


def test_every_step_has_a_cost_of_its_own() -> None:
    made = lay_out([small()], Fixed(SECONDS), SPEED, own_cost=0.5)
    assert made.work == seconds_of(made) + 0.5 * len(made.steps)


def test_what_was_never_measured_takes_its_arithmetic() -> None:
    """Of the network; other steps take as long as similar ones, or nothing where there are none."""
    experiment = small()
    train = next(step for step in plan(experiment).steps if step.kind == "train")
    fast, slow = (lay_out([experiment], KNOWN, speed, 0.0) for speed in (100.0, 50.0))
    assert slow.sources[train.key] == "arithmetic"
    assert slow.seconds[train.key] == pytest.approx(2 * fast.seconds[train.key])
    by_kind = {step.kind: slow.sources[key] for key, step in slow.steps.items()}
    assert by_kind["data"] == "measured"  # its sort is its kind
    assert by_kind["fit"] == "similar steps"
    nothing = lay_out([experiment], Throughput([]), SPEED, 0.0)
    data = next(key for key, step in nothing.steps.items() if step.kind == "data")
    assert (nothing.seconds[data], nothing.sources[data]) == (0.0, "unknown")


def test_a_measured_network_takes_what_it_took() -> None:
    experiment = small()
    train = next(step for step in plan(experiment).steps if step.kind == "train")
    measured = Throughput([(sort_of(train, experiment), 3.0)])
    made = lay_out([experiment], measured, SPEED, own_cost=0.0)
    assert made.seconds[train.key] == 3.0 * units(train, experiment)
    assert made.sources[train.key] == "measured"


def test_rates_are_written_and_read_again(tmp_path: Path) -> None:
    sorts: dict[Sort, float] = {("train", "fc"): 1.0, ("train", "cnn"): 2.0, ("data",): 3.0}
    save_rates(Throughput(sorts.items()), tmp_path / "rates.json")
    again = read_rates(tmp_path / "rates.json")
    assert again == {**sorts, ("train",): 1.5}
    faster = with_rates(Throughput(sorts.items()), {("train", "fc"): 0.25})
    assert faster.rates[("train", "fc")] == 0.25
    assert faster.rates[("train", "cnn")] == 2.0


def test_the_grid_of_the_paper() -> None:
    """255 pruned models; the fewest hours are those of its critical path."""
    experiments = get_sweep("paper").experiments
    made = lay_out(experiments, KNOWN, SPEED)
    pruned = {
        step.key
        for experiment in experiments
        for step in plan(experiment).steps
        if step.kind == "fine_tune" and step.parts.source == "pruned"
    }
    assert len(pruned) == 255 * (1 + experiments[0].shadows)
    kinds = [made.steps[key].kind for key in made.chain]
    assert kinds[kinds.index("train") :][:3] == ["train", "fine_tune", "signals"]
    few, many = outcomes(made, (2, 64))
    assert made.chain_seconds <= many.wall < few.wall < made.work
    assert few.wall >= made.work / 2


def test_the_report(catalog: Catalog, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rates = tmp_path / "rates.json"
    simulate.report("sparsity", (1, 4), catalog.store, None, rates, SPEED, 0.03)
    printed = capsys.readouterr().out
    assert "sweep sparsity: 15 runs" in printed
    assert "one core: 50 GFLOP/s" in printed
    assert "| 1 |" in printed
    assert " | 1.00 | 1.000 | 0.0 % |" in printed
    assert "critical path" in printed
    assert "(checkins, fc)" in printed
    simulate.report("sparsity", (1, 4), catalog.store, rates, None, SPEED, 0.03)
    assert capsys.readouterr().out == printed


def test_a_network_costs_by_its_own_arithmetic() -> None:
    """ResNet18 against the small CNN, on the same pictures."""
    settings = {"data": {"name": "cifar10"}, "models": ["pruned"], "attacks": {"names": ["conf"]}}
    small_one, large_one = (
        lay_out([make_experiment({**settings, "model": {"name": name}})], KNOWN, SPEED, 0.0)
        for name in ("cnn", "resnet18")
    )
    assert large_one.work > 20 * small_one.work
