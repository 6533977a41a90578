"""``python -m prunepriv run`` works for every combination that it accepts, on small slices.

All data sets x models x approaches x defences, with all attacks, are either accepted or refused with
one sentence that says what to choose instead. Of those accepted, a covering set is really run:

- every data set with every model, by the plainest approach and without a defence; but DenseNet121,
  which takes longest, with one data set of each shape of picture;
- the two small networks (fc, cnn) with every approach and defence together, on one data set;
- each deep network with every approach and with every defence, but not with each pair of them;
- every attack, on one tabular and one image data set.

Convolutional networks are run at the smallest width. The rest is validated only: deep networks with
the other pairs, DenseNet121 on the other data sets of 32x32 pixels, and approaches, defences and
attacks on other data sets than the bundled ones.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cache
from itertools import cycle, islice, product
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest

from prunepriv.cli import main
from prunepriv.errors import ExperimentError
from prunepriv.experiment import Experiment, make_experiment
from prunepriv.options import APPROACHES, ATTACKS, DATASETS, DEFENSES, MODELS
from tests.official_files import official_files

SCHEMA = json.loads(
    (Path(__file__).resolve().parents[2] / "assets" / "run.schema.json").read_text()
)
RECORDS = 600
"""In the files of data sets that are downloaded; more than the slice that is used."""
SLICE = ("--limit", "512", "--epochs", "1", "--shadows", "2", "--sparsity", "0.5")
DEEP_SLICE = ("--limit", "256", "--epochs", "1", "--shadows", "1", "--sparsity", "0.5")
CHEAP = ("corr", "conf")
PLAIN = ("l1_unstructured", "none")
SMALL = ("fc", "cnn")
"""Networks of which a run takes a second or less."""


@dataclass(frozen=True)
class Combination:
    """What is chosen from each table."""

    dataset: str
    model: str
    approach: str
    defense: str
    attacks: tuple[str, ...] = field(default=CHEAP, compare=False)

    def __str__(self) -> str:
        wide = "-all_attacks" if self.attacks == tuple(ATTACKS) else ""
        return f"{self.dataset}-{self.model}-{self.approach}-{self.defense}{wide}"

    def make(self) -> Experiment:
        """Raises ExperimentError where it cannot be."""
        return make_experiment(
            {
                "data": {"name": self.dataset, "limit": 512},
                "model": {"name": self.model},
                "pruning": {"approach": self.approach},
                "defense": {"name": self.defense},
                "attacks": {"names": list(ATTACKS)},
                "shadows": 2,
            }
        )

    @property
    def models(self) -> tuple[str, ...]:
        return ("pruned",) if self.defense == "none" else ("pruned", "defended")

    @property
    def words(self) -> list[str]:
        """The command line."""
        width = () if "conv" not in MODELS[self.model].layers else ("--width", "0.125")
        part = SLICE if self.model in SMALL else DEEP_SLICE
        return [
            "prunepriv", "run", "--inline", *part, *width,
            "--dataset", self.dataset, "--model", self.model, "--approach", self.approach,
            "--defense", self.defense, "--attacks", ",".join(self.attacks),
            "--models", ",".join(self.models),
        ]  # fmt: skip


def of(dataset: str) -> list[Combination]:
    return [Combination(dataset, *rest) for rest in product(MODELS, APPROACHES, DEFENSES)]


def sentence(combination: Combination) -> str | None:
    """Why it cannot be; None where it can."""
    try:
        combination.make()
    except ExperimentError as error:
        return str(error)
    return None


def impossible(c: Combination) -> bool:
    """What cannot be meant, told apart from the program's own rules.

    By assets/method.md#pruning and assets/method.md#dp-sgd.
    """
    tabular = c.model == "fc"
    if tabular != (DATASETS[c.dataset].kind == "tabular"):
        return True
    if tabular and c.approach != "l1_unstructured":
        return True  # no filters and no batch norm
    if c.defense != "dp_sgd":
        return False
    # a gradient per record of the small networks only, and no scales of batch norm to rank
    return c.model not in ("fc", "cnn") or c.approach == "network_slimming"


@pytest.mark.parametrize("dataset", DATASETS)
def test_every_combination_is_accepted_or_refused_in_one_sentence(dataset: str) -> None:
    for combination in of(dataset):
        told = sentence(combination)
        assert (told is not None) == impossible(combination), f"{combination}: {told}"
        if told is not None:
            assert "\n" not in told
            assert len(told) < 250
            assert "choose" in told, told
            named = (combination.model, combination.approach, combination.dataset, "DP-SGD")
            assert any(name in told for name in named), told


def of_small(model: str, home: str) -> list[Combination]:
    """Every approach with every defence."""
    return [Combination(home, model, *pair) for pair in product(APPROACHES, DEFENSES)]


def of_deep(model: str, home: str, turn: int) -> list[Combination]:
    """Each approach and each defence once at least, in pairs that differ from turn to turn."""
    usable = [d for d in DEFENSES if not impossible(Combination(home, model, PLAIN[0], d))]
    turned = usable[turn % len(usable) :] + usable[: turn % len(usable)]
    pairs = zip(cycle(APPROACHES), cycle(turned), strict=False)
    return [
        Combination(home, model, *pair) for pair in islice(pairs, max(len(APPROACHES), len(usable)))
    ]


def is_met(dataset: str, model: str) -> bool:
    """Whether the model is run on the data set: DenseNet121 on the first one of each shape only."""
    shape = DATASETS[dataset].shape
    first = next(name for name, option in DATASETS.items() if option.shape == shape)
    return model != "densenet121" or dataset == first


def covering() -> list[Combination]:
    """Combinations that hold what the head of this file promises."""
    homes = {"tabular": "checkins", "image": "digits"}
    chosen = [
        one
        for turn, (model, option) in enumerate(MODELS.items())
        for one in (
            of_small(model, homes[option.serves])
            if model in SMALL
            else of_deep(model, homes[option.serves], turn)
        )
    ]
    met = {(one.dataset, one.model) for one in chosen}
    pairs = (pair for pair in product(DATASETS, MODELS) if pair not in met and is_met(*pair))
    chosen += [Combination(*pair, *PLAIN) for pair in pairs]
    possible = [one for one in dict.fromkeys(chosen) if not impossible(one)]
    everything = tuple(ATTACKS)
    wide = [
        Combination("checkins", "fc", "l1_unstructured", "ppb", everything),
        Combination("digits", "cnn", "l1_structured", "none", everything),
    ]
    return [*wide, *(one for one in possible if one not in wide)]


def test_the_set_that_is_run_covers_what_it_promises() -> None:
    accepted = [one for dataset in DATASETS for one in of(dataset) if not impossible(one)]
    run = covering()
    pairs = {(c.dataset, c.model) for c in accepted}
    assert {(c.dataset, c.model) for c in run} == {pair for pair in pairs if is_met(*pair)}
    shapes = {(DATASETS[name].shape, model) for name, model in pairs}
    assert {(DATASETS[c.dataset].shape, c.model) for c in run} == shapes
    assert {(c.model, c.approach) for c in run} == {(c.model, c.approach) for c in accepted}
    assert {(c.model, c.defense) for c in run} == {(c.model, c.defense) for c in accepted}
    small = {(c.model, c.approach, c.defense) for c in accepted if c.model in SMALL}
    assert {(c.model, c.approach, c.defense) for c in run if c.model in SMALL} == small
    kinds = {DATASETS[c.dataset].kind for c in run if c.attacks == tuple(ATTACKS)}
    assert kinds == {"tabular", "image"}


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One store for all: runs that share a step share its artifact."""
    return tmp_path_factory.mktemp("combinations")


@pytest.fixture(scope="module")
def officially(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Path]]:
    """Prepares small files in a data set's official format; returns the folder of all."""
    folder = tmp_path_factory.mktemp("official")
    with ExitStack() as prepared:

        @cache
        def prepare(name: str) -> Path:
            files = official_files([name], folder, RECORDS, np.random.default_rng(0))
            prepared.enter_context(files)
            return folder

        yield prepare


@pytest.mark.parametrize("combination", covering(), ids=str)
def test_a_small_slice_runs_to_its_report(
    combination: Combination,
    shared: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    officially: Callable[[str], Path],
    capsys: pytest.CaptureFixture[str],
) -> None:
    if not DATASETS[combination.dataset].bundled:
        monkeypatch.setenv("PRUNEPRIV_DATA", str(officially(combination.dataset)))
    file = tmp_path / "run.json"
    words = [*combination.words, "--store", str(shared), "--json", str(file)]
    monkeypatch.setattr(sys, "argv", words)
    with pytest.raises(SystemExit) as ended:
        main()
    assert not ended.value.code, capsys.readouterr().err
    report = json.loads(file.read_text())
    jsonschema.validate(report, SCHEMA)
    _agrees(report, combination)


def _agrees(report: dict[str, Any], combination: Combination) -> None:
    """The report is about what was asked for, and nothing is amiss with it."""
    chosen = report["experiment"]
    assert chosen["data"]["name"] == combination.dataset
    assert chosen["model"]["name"] == combination.model
    assert chosen["pruning"]["approach"] == combination.approach
    assert chosen["defense"]["name"] == combination.defense
    assert tuple(row["model"] for row in report["models"]) == combination.models
    for row in report["models"]:
        assert 0.02 < row["sparsity"] < 0.98, "pruned to some degree"
        assert row["parameters"] > 0
        private = combination.defense == "dp_sgd" and row["model"] == "defended"
        assert (row["privacy"] is not None) == private
    adversaries = {(row["model"], row["adversary"]) for row in report["attacks"]}
    assert len(adversaries) == (1 if combination.defense == "none" else 3)
    per_model = len(report["attacks"]) / len(adversaries)
    assert per_model == len(combination.attacks)
    assert {row["attack"] for row in report["attacks"]} == set(combination.attacks)
    failed = [row for row in report["checks"] if row["passed"] is False]
    # a single epoch is often too short to learn anything
    assert not [row for row in failed if row["check"] != "models_learned"]
