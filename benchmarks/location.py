"""The attacks on Location, compared with figures measured with the authors' released code."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from benchmarks.running import run, stop_engine
from prunepriv.attacks import REGISTRY, FitSettings, PooledShadows, Queries
from prunepriv.attacks.threshold import Conf
from prunepriv.environment import store_folder
from prunepriv.evaluation import balanced_accuracy, mean_and_t_interval
from prunepriv.experiment import make_experiment
from prunepriv.options import ModelKind
from prunepriv.plan import signals_name
from prunepriv.store.artifacts import ArtifactStore
from prunepriv.store.result import Result

RELEASED: Mapping[str, Mapping[str, float]] = {
    "original": {"conf": 79.5, "entr": 73.6, "mentr": 79.6, "top1_conf": 79.5},
    "pruned": {
        "members": 99.6, "non-members": 58.9, "conf": 78.3, "entr": 72.9, "mentr": 79.1,
        "top1_conf": 78.1, "nn": 76.1, "top3_nn": 77.0, "cls_nn": 79.2,
    },
}  # fmt: skip
"""Per cent, mean over seeds 1-5 of the authors' release (L1 unstructured, sparsity 0.7)."""


KINDS: tuple[ModelKind, ...] = ("original", "pruned")


class _OneThresholdConf(Conf):
    """What the release prints as Top1-conf: confidence in the *true* label, one threshold."""

    per_class = False


def report(seeds: Sequence[int]) -> None:
    """Print accuracy per attack and model, mean and standard deviation over seeds."""
    figures: dict[tuple[str, str], list[float]] = defaultdict(list)
    with TemporaryDirectory() as folder:
        store = Path(folder)
        for seed in seeds:
            job = run(
                store, "--dataset", "location", "--models", ",".join(KINDS), "--seed", str(seed)
            )
            for row in job.report["models"]:
                figures[row["model"], "members"].append(100 * row["member_accuracy"])
                figures[row["model"], "non-members"].append(100 * row["non_member_accuracy"])
            accuracies = {
                (row["model"], row["attack"]): 100 * row["accuracy"]
                for row in job.report["attacks"]
            }
            for key, accuracy in accuracies.items():
                figures[key].append(accuracy)
            for row in job.report["headline"]:
                key = row["model"], row["attack"]
                figures[row["model"], "chosen beforehand"].append(accuracies[key])
            settings = job.report["experiment"]
            result = Result(ArtifactStore(store_folder(store)), make_experiment(settings))
            for kind in KINDS:
                figures[kind, "top1_conf as released"].append(100 * one_threshold(result, kind))
        stop_engine(store)
    _print(figures)


def one_threshold(result: Result, kind: ModelKind) -> float:
    """The accuracy of what the release prints as Top1-conf, fitted on all shadow records."""
    attack = _OneThresholdConf()
    target, *shadows = (
        _signals(result, kind, number) for number in range(result.experiment.shadows + 1)
    )
    joined = {name: np.concatenate([one[name] for one in shadows]) for name in target}
    fitted = attack.fit(
        PooledShadows(_queries(joined), joined["member"].astype(bool)), FitSettings()
    )
    queries = _queries(target)
    decision = attack.decide(fitted, queries, attack.score(fitted, queries))
    return balanced_accuracy(decision, target["member"].astype(bool))


def _signals(result: Result, kind: ModelKind, number: int) -> dict[str, np.ndarray]:
    artifact = result.artifact(signals_name(kind, number))
    if artifact is None:
        raise RuntimeError(f"the signals of {kind} model {number} are missing: run it again")
    return artifact.tensors("signals")


def _queries(tables: Mapping[str, np.ndarray]) -> Queries:
    return Queries(tables["logits"], tables["sensitivity"], tables["label"])


def _print(figures: Mapping[tuple[str, str], list[float]]) -> None:
    print("| model | figure | mean (sd) | released | difference |")
    print("|---|---|---|---|---|")
    for (kind, name), values in figures.items():
        mean, spread = statistics.fmean(values), statistics.stdev(values) if len(values) > 1 else 0
        released = RELEASED[kind].get(name.split()[0])
        beside = f"{released} | {mean - released:+.1f}" if released else "- | -"
        print(f"| {kind} | {name} | {mean:.1f} ({spread:.1f}) | {beside} |")
    if len(next(iter(figures.values()))) > 1:
        for kind in RELEASED:
            _print_lead(kind, figures)


def _print_lead(kind: str, figures: Mapping[tuple[str, str], list[float]]) -> None:
    """The lead of SAMIA over the best of the other attacks, compared seed by seed."""
    others = [figures[kind, name] for name in REGISTRY if name != "samia"]
    best = max(others, key=statistics.fmean)
    lead = [a - b for a, b in zip(figures[kind, "samia"], best, strict=True)]
    mean, low, high = mean_and_t_interval(lead)
    print(f"{kind}: SAMIA leads the best of the others by {mean:+.1f} [{low:+.1f}, {high:+.1f}]")
