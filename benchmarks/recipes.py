"""The `fast` and the `paper` recipe for attack networks: the same targets, shadows and records.

The rule: `fast` is equal to `paper` where the 95 % t-interval of the mean paired difference over
seeds lies within one point either way.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.running import run, stop_engine
from prunepriv.evaluation import MeanInterval, mean_and_t_interval
from prunepriv.plan import fit_name

ATTACKS = ("nn", "top3_nn", "cls_nn", "samia")
"""All attack networks, the ones whose fits are short first."""

RECIPES = ("fast", "paper")

MARGIN = 1.0
"""Points either way within which recipes count as equal."""

Reports = Mapping[str, Sequence[Mapping[str, Any]]]
"""By recipe, the JSON of one run for each seed."""


def report(seeds: Sequence[int], store: Path | None = None, attacks: Sequence[str] = ()) -> None:
    """Print accuracy, AUC and seconds for each seed and recipe, and the verdict for each attack.

    Args:
        seeds: at least two, all different.
        store: folder that keeps the runs, so that an interrupted table can be continued; None: a
            temporary folder.
        attacks: of :data:`ATTACKS`; empty: all.
    """
    with TemporaryDirectory() as folder:
        kept = store or Path(folder)
        reports = {attack: _reports(attack, seeds, kept) for attack in attacks or ATTACKS}
        stop_engine(kept)
    _print_verdicts(reports, len(seeds))


def _reports(attack: str, seeds: Sequence[int], store: Path) -> Reports:
    """Run an attack by both recipes under every seed, and print a row for each seed."""
    numbers = ",".join(map(str, seeds))
    options = ("--dataset", "location", "--models", "pruned", "--attacks", attack)
    found: Reports = {
        recipe: run(store, *options, "--recipe", recipe, "--seeds", numbers).report["runs"]
        for recipe in RECIPES
    }
    check_signals(found)
    print(f"\n{attack}:")
    print("| seed | fast: accuracy | AUC | seconds | paper: accuracy | AUC | seconds |")
    print("|---|---|---|---|---|---|---|")
    for number, pair in zip(seeds, zip(*found.values(), strict=True), strict=True):
        print(f"| {number} | {' | '.join(_cells(one, attack) for one in pair)} |", flush=True)
    return found


def check_signals(reports: Reports) -> None:
    """Refuse to compare runs in which the recipes did not see the same signals.

    Raises:
        RuntimeError: the keys of the signals differ in some seed.
    """
    for pair in zip(*reports.values(), strict=True):
        keys = [
            {step["key"] for step in one["steps"] if step["step"].startswith("signals")}
            for one in pair
        ]
        if keys[0] != keys[1]:
            seed = pair[0]["experiment"]["seed"]
            raise RuntimeError(f"the recipes saw different signals with seed {seed}")


def _cells(one: Mapping[str, Any], attack: str) -> str:
    row = one["attacks"][0]
    fit = fit_name(attack, "pruned")
    seconds = next(step["seconds"] for step in one["steps"] if step["step"] == fit)
    return f"{100 * row['accuracy']:.2f} | {100 * row['auc']:.2f} | {seconds:.1f}"


def _print_verdicts(reports: Mapping[str, Reports], seeds: int) -> None:
    print(f"\n| attack | mean over {seeds} seeds | fast | paper | fast minus paper | |")
    print("|---|---|---|---|---|---|")
    for attack, found in reports.items():
        for figure in ("accuracy", "auc"):
            fast, paper = (
                [100 * one["attacks"][0][figure] for one in found[recipe]] for recipe in RECIPES
            )
            means = f"{fmean(fast):.2f} | {fmean(paper):.2f}"
            difference, equal = compared(fast, paper)
            words = f"{difference.mean:+.2f} [{difference.low:+.2f}, {difference.high:+.2f}]"
            verdict = "equal" if equal else "not equal"
            print(f"| {attack} | {figure} | {means} | {words} | {verdict} |")


def compared(fast: Sequence[float], paper: Sequence[float]) -> tuple[MeanInterval, bool]:
    """The mean of the paired differences, fast minus paper, and whether the recipes are equal.

    Args:
        fast: in per cent, one for each seed.
        paper: of the same seeds.

    Raises:
        ValueError: fewer than two seeds, or not as many of one as of the other.
    """
    difference = mean_and_t_interval([a - b for a, b in zip(fast, paper, strict=True)])
    if difference.low is None or difference.high is None:
        raise ValueError("an interval over seeds needs two seeds or more, got 1")
    return difference, difference.low >= -MARGIN and difference.high <= MARGIN
