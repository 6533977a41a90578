"""The `fast` and the `paper` recipe for attack networks on the same shadows."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.running import run, stop_engine
from prunepriv.plan import fit_name

ATTACKS = "nn,top3_nn,cls_nn,samia"


def report(seeds: Sequence[int]) -> None:
    """Print accuracy and seconds of each attack network by recipe (the paper's takes minutes)."""
    print("| seed | attack | fast: accuracy | AUC | seconds | paper: accuracy | AUC | seconds |")
    print("|---|---|---|---|---|---|---|---|")
    with TemporaryDirectory() as folder:
        store = Path(folder)
        options = ("--dataset", "location", "--models", "pruned", "--attacks", ATTACKS)
        for seed in seeds:
            jobs = [
                run(store, *options, "--seed", str(seed), "--recipe", recipe)
                for recipe in ("fast", "paper")
            ]
            for rows in zip(*(job.report["attacks"] for job in jobs), strict=True):
                name = rows[0]["attack"]
                cells = [
                    f"{row['accuracy']:.3f} | {row['auc']:.3f} | {job.step(fit_name(name, 'pruned')):.1f}"
                    for row, job in zip(rows, jobs, strict=True)
                ]
                print(f"| {seed} | {name} | {' | '.join(cells)} |", flush=True)
        stop_engine(store)
