"""Every defence on Location: how well attacks still work, and how much accuracy is lost."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.running import run, stop_engine
from prunepriv.evaluation import mean_and_t_interval
from prunepriv.options import DEFENSES

ATTACKS = ("conf", "mentr", "samia", "lira")


def report(seeds: Sequence[int], store: Path | None = None) -> None:
    """Print attack accuracy and accuracy on non-members, mean and 95 % t-interval over seeds.

    Args:
        seeds: at least two.
        store: folder that keeps the runs, so that an interrupted table can be continued; None: a
            temporary folder.
    """
    with TemporaryDirectory() as folder:
        _report(seeds, store or Path(folder))


def _report(seeds: Sequence[int], store: Path) -> None:
    # (defence, adversary) -> figure -> seed -> per cent; every run also has the undefended model
    figures: dict[tuple[str, str], dict[str, dict[int, float]]] = defaultdict(
        lambda: defaultdict(dict)
    )
    strengths: dict[str, str] = {"none": ""}
    for seed in seeds:
        for defense in [name for name in DEFENSES if name != "none"]:
            job = run(
                store, "--dataset", "location", "--models", "pruned,defended",
                "--defense", defense, "--attacks", ",".join(ATTACKS), "--seed", str(seed),
            )  # fmt: skip
            strengths[defense] = f" {job.report['experiment']['defense']['strength']:g}"
            of = {"pruned": "none", "defended": defense}
            for row in job.report["attacks"]:
                by_seed = figures[of[row["model"]], row["adversary"]][row["attack"]]
                by_seed[seed] = 100 * row["accuracy"]
            for row in job.report["models"]:
                for adversary in ("adaptive", "non_adaptive"):
                    for name in ("member_accuracy", "non_member_accuracy"):
                        figures[of[row["model"]], adversary][name][seed] = 100 * row[name]
    stop_engine(store)
    columns = ("member_accuracy", "non_member_accuracy", *ATTACKS)
    print(f"| defence | adversary | {' | '.join(name.replace('_', ' ') for name in columns)} |")
    print("|---|---|" + "---|" * len(columns))
    for (defense, adversary), found in figures.items():
        if set(ATTACKS) <= set(found):
            cells = [_cell(list(found[name].values())) for name in columns]
            print(f"| {defense}{strengths[defense]} | {adversary} | {' | '.join(cells)} |")


def _cell(values: Sequence[float]) -> str:
    mean, low, high = mean_and_t_interval(values)
    return f"{mean:.1f} [{low:.1f}, {high:.1f}]"
