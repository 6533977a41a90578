"""How attack networks are trained: both recipes, dropout, and the inputs of the networks."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable, Mapping

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from prunepriv.attacks import FitSettings, Queries, ReferenceAttack, get_attack
from prunepriv.attacks.base import CHUNK, Recipe
from prunepriv.attacks.halves import Halves
from prunepriv.attacks.networks import (
    FastRecipe,
    batches,
    fit_network,
    margin,
    predict,
    sampled,
)
from prunepriv.attacks.neural import FAST, NN, ClsNN, Top3NN, attack_network
from prunepriv.attacks.one_cycle import one_cycle
from prunepriv.attacks.samia import fast_recipe
from prunepriv.options import ATTACKS, records_of_fit
from prunepriv.progress import silent
from tests.unit.attacks.drawn import draw

torch.set_num_threads(1)


def toy(n: int = 200) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(1)
    member = torch.arange(n) % 2
    return torch.randn(n, 4, generator=generator) + member[:, None], member


def small() -> nn.Sequential:
    return nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2))


def test_the_attack_network_is_the_papers() -> None:
    layers = [layer for layer in attack_network(30) if isinstance(layer, nn.Linear)]
    assert [(layer.in_features, layer.out_features) for layer in layers] == [
        (30, 512),
        (512, 256),
        (256, 128),
        (128, 2),
    ]


def test_the_paper_recipe_is_100_epochs_of_sgd(monkeypatch: pytest.MonkeyPatch) -> None:
    x, member = toy()
    rates: list[float] = []
    made: list[torch.optim.SGD] = []

    class Watched(torch.optim.SGD):
        def __init__(self, *args: object, **options: object) -> None:
            super().__init__(*args, **options)  # type: ignore[arg-type]
            made.append(self)

        def step(self, closure: object = None) -> None:  # type: ignore[override]
            rates.append(self.param_groups[0]["lr"])
            super().step()

    monkeypatch.setattr(torch.optim, "SGD", Watched)
    heard: list[float] = []

    def report(
        fraction: float, message: str = "", point: Mapping[str, float] | None = None
    ) -> None:
        heard.append(fraction)

    settings = FitSettings(recipe="paper", seed=1)
    fitted = fit_network(small(), x, member, settings, FastRecipe(1, 64, 1e-3, most=1000), report)
    assert len(rates) == 100 * 2, "two batches of 128 and 72 an epoch"
    by_epoch = rates[::2]
    assert by_epoch == pytest.approx([1e-3] * 50 + [1e-4] * 25 + [1e-5] * 25)
    group = made[0].param_groups[0]
    assert (group["momentum"], group["weight_decay"]) == (0.9, 5e-4)
    assert heard == pytest.approx([epoch / 100 for epoch in range(1, 101)])
    assert all(np.isfinite(array).all() for array in fitted.values())


def test_the_fast_recipe_keeps_the_epoch_that_does_best_on_held_out_records(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    x, member = toy()
    network, weights, held_out = small(), [], []
    certainties = iter([0.1, 3.0, 1.0, 0.5])  # the second epoch is the best

    def look(watched: nn.Module, held: Tensor, at_once: int) -> Tensor:
        held_out.append(held)
        weights.append(watched.state_dict()["0.weight"].numpy().copy())
        truth = member[[int((x == row).all(1).nonzero()[0, 0]) for row in held]]
        return next(certainties) * nn.functional.one_hot(truth, 2).float()

    monkeypatch.setattr("prunepriv.attacks.networks.predict", look)
    fast = FastRecipe(epochs=4, batch_size=64, peak=1e-2, most=1000)
    fitted = fit_network(network, x, member, FitSettings(seed=1), fast, silent)
    assert [len(held) for held in held_out] == [20] * 4
    assert np.array_equal(fitted["0.weight"], weights[1])
    assert not np.array_equal(weights[1], weights[3])


def test_without_held_out_records_all_are_trained_on_and_the_last_epoch_is_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    x, member = toy()
    seen: list[Tensor] = []

    class Watched(Halves):
        def set_gradient(self, x: Tensor, truth: Tensor) -> None:
            seen.append(x)
            super().set_gradient(x, truth)

    monkeypatch.setattr("prunepriv.attacks.networks.Halves", Watched)
    network = small()
    fast = FastRecipe(3, 64, 1e-2, most=1000, optimizer="sgd", held_out=0.0)
    fitted = fit_network(network, x, member, FitSettings(seed=1), fast, silent)
    epochs = torch.cat(seen).split(len(x))
    assert len(epochs) == 3
    for rows in epochs:
        assert sorted(rows.tolist()) == sorted(x.tolist())
    assert not torch.equal(epochs[0], epochs[1]), "each epoch in an order of its own"
    shorter = fit_network(
        small(), x, member, FitSettings(seed=1), dataclasses.replace(fast, epochs=2), silent
    )
    assert not np.array_equal(fitted["0.weight"], shorter["0.weight"])


def test_the_fast_recipe_of_networks_on_posteriors_finds_what_the_papers_finds() -> None:
    """The same first weights, and rates whose sum is 1.15 times the paper's."""
    records = 80 * 128
    steps = FAST.epochs * len(batches(torch.arange(records), FAST.batch_size))
    paper = 80 * (50 * 1e-3 + 25 * 1e-4 + 25 * 1e-5)
    rates = sum(one_cycle(step, steps, FAST.peak)[0] for step in range(steps))
    assert rates / paper == pytest.approx(1.15, abs=0.01)
    drawn = draw(1, 1500, leak=1.5)
    settings = [FitSettings(recipe, 3) for recipe in ("fast", "paper")]
    fast, paper_scores = (
        ClsNN().score(ClsNN().fit(drawn.shadows(), one), drawn.queries) for one in settings
    )
    assert np.corrcoef(fast, paper_scores)[0, 1] > 0.98
    assert ((fast >= 0) == (paper_scores >= 0)).mean() > 0.97


def test_no_batch_has_a_single_record() -> None:
    for count in range(1, 30):
        parts = batches(torch.arange(count), 4)
        assert torch.cat(parts).tolist() == list(range(count))
        assert max(map(len, parts)) <= 5
        assert count == 1 or min(map(len, parts)) > 1


def test_the_score_is_the_log_odds() -> None:
    outputs = torch.tensor([[0.0, 1.5], [2.0, -1.0]])
    p = outputs.softmax(1)[:, 1]
    assert margin(outputs).tolist() == pytest.approx((p / (1 - p)).log().tolist(), rel=1e-5)


def test_prediction_in_chunks_is_prediction() -> None:
    x, _ = toy()
    network = small()
    torch.testing.assert_close(predict(network, x, at_once=7), network.eval()(x))


def two_classes() -> Queries:
    z = np.log(np.array([[0.3, 0.7], [0.9, 0.1]], dtype=np.float32))
    return Queries(z, np.zeros_like(z), np.array([0, 1]))


def test_the_inputs_of_each_network() -> None:
    z = np.log(np.array([[0.1, 0.4, 0.2, 0.3]], dtype=np.float32))
    seen = Queries(z, np.zeros_like(z), np.array([2]))
    assert NN().features(seen)[0].tolist() == pytest.approx([0.1, 0.4, 0.2, 0.3], rel=1e-6)
    assert Top3NN().features(seen)[0].tolist() == pytest.approx([0.4, 0.3, 0.2], rel=1e-6)
    expected = [0.1, 0.4, 0.2, 0.3, 0, 0, 1, 0]
    assert ClsNN().features(seen)[0].tolist() == pytest.approx(expected, rel=1e-6)


def test_with_fewer_than_three_classes_top3_uses_all_posteriors() -> None:
    features = Top3NN().features(two_classes())
    assert features.ravel().tolist() == pytest.approx([0.7, 0.3, 0.9, 0.1], rel=1e-6)
    drawn = draw(1, 200, classes=2, leak=3.0)
    fitted = Top3NN().fit(drawn.shadows(), FitSettings())
    assert Top3NN().score(fitted, drawn.queries).shape == (200,)


def test_the_fast_recipe_uses_a_seeded_sample_of_many_records() -> None:
    shadows = draw(1, 900, leak=1.0).shadows()
    few = sampled(shadows, FitSettings("fast", 3), 200)
    again, other = (sampled(shadows, FitSettings("fast", seed), 200) for seed in (3, 4))
    assert len(few.queries) == len(few.member) == 200
    assert 0.35 < few.member.mean() < 0.65
    assert np.array_equal(few.queries.logits, again.queries.logits)
    assert not np.array_equal(few.queries.logits, other.queries.logits)
    rows = [np.flatnonzero((shadows.queries.logits == z).all(1)).item() for z in few.queries.logits]
    assert rows == sorted(set(rows)), "each at most once, in their order"
    assert np.array_equal(few.member, shadows.member[rows])
    assert np.array_equal(few.queries.label, shadows.queries.label[rows])
    assert np.array_equal(few.queries.sensitivity, shadows.queries.sensitivity[rows])


def test_all_records_are_used_where_they_are_few_or_the_recipe_is_the_papers() -> None:
    shadows = draw(1, 300).shadows()
    assert sampled(shadows, FitSettings("fast"), 300) is shadows
    assert sampled(shadows, FitSettings("paper"), 100) is shadows
    location = 5 * 2 * 1127
    assert min(FAST.most, fast_recipe(30).most) > location
    assert fast_recipe(100).most == 10_000


@pytest.mark.parametrize(("classes", "samia"), [(100, 10_000), (5, 12_000)])
@pytest.mark.parametrize("recipe", ["fast", "paper"])
def test_each_network_is_fitted_on_as_many_records_as_its_option_says(
    classes: int, samia: int, recipe: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of 12,000 synthetic shadow records; only the training itself, which takes minutes, is left out."""
    given: dict[str, tuple[Tensor, Tensor]] = {}

    def learned(name: str) -> Callable[..., dict[str, np.ndarray]]:
        def fit_(
            network: nn.Module, x: Tensor, member: Tensor, *_: object
        ) -> dict[str, np.ndarray]:
            given[name] = x, member
            return {key: value.numpy() for key, value in network.state_dict().items()}

        return fit_

    drawn = draw(1, 12_000, classes, leak=1.0)
    for name, option in ATTACKS.items():
        attack = get_attack(name)
        if option.kind != "network" or isinstance(attack, ReferenceAttack):
            continue
        monkeypatch.setattr(sys.modules[type(attack).__module__], "fit_network", learned(name))
        attack.fit(drawn.shadows(), FitSettings(recipe, 3))
        x, member = given[name]
        used = records_of_fit(12_000, option.most_records(classes), recipe)
        assert (
            len(x)
            == len(member)
            == used
            == (samia if (name, recipe) == ("samia", "fast") else 12_000)
        )
        assert 0.45 < float(member.float().mean()) < 0.55
    labels = given["samia"][0][:, 2 * classes :]
    assert labels.shape[1] == classes
    assert int((labels.sum(0) > 0).sum()) == classes, "every class is in the sample"


def test_chunks_give_what_all_records_at_once_give() -> None:
    queries = draw(1, 2 * CHUNK + 5, 3).queries
    assert np.array_equal(queries.in_chunks(lambda q: q.posteriors), queries.posteriors)
