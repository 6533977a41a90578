"""Adversarial regularisation: its attack network learns, and the model learns to mislead it."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from prunepriv.defenses import make_protection
from prunepriv.defenses.adversarial import Adversarial, AttackNetwork, member_cross_entropy, seen
from prunepriv.training import Settings, initialize
from tests.stacks import CLASSES, fresh, make_problem, train_stack
from tests.unit.defenses.at_work import answers, at_work, batch


def plain_attack_network(attack_network: AttackNetwork, model: int, x: Tensor) -> Tensor:
    """The same network, computed for one model and one record after another."""
    weight = {name: value[model] for name, value in attack_network.named_parameters()}

    def layer(name: str, v: Tensor) -> Tensor:
        return weight[f"{name}.weight"] @ v + weight[f"{name}.bias"]

    odds = []
    for record in x:
        p, y = record[:CLASSES], record[CLASSES:]
        both = torch.cat([layer("posterior", p).relu(), layer("label", y).relu()])
        odds.append(layer("output", layer("both", both).relu()))
    return torch.cat(odds)


def made(models: int = 2) -> AttackNetwork:
    attack_network = AttackNetwork(models, CLASSES)
    initialize(attack_network, 4)
    return attack_network


def test_the_attack_network_against_one_written_out() -> None:
    attack_network = made()
    logits, labels = batch(2)
    x = seen(logits, labels)
    torch.testing.assert_close(x[..., :CLASSES].sum(2), torch.ones(2, 8))
    assert torch.equal(x[..., CLASSES:].argmax(2), labels)
    together = attack_network(x)
    for model in range(2):
        torch.testing.assert_close(
            together[model], plain_attack_network(attack_network, model, x[model])
        )


@pytest.mark.parametrize(("records", "classes"), [(2, 93), (3, 62), (64, 30)])
def test_an_attack_network_answers_as_it_does_alone(records: int, classes: int) -> None:
    attack_network = AttackNetwork(3, classes)
    initialize(attack_network, 4)
    x = torch.rand(3, records, 2 * classes, generator=torch.Generator().manual_seed(1))
    together = attack_network(x)
    for model in range(3):
        alone = attack_network.single(model)(x[model : model + 1].clone())
        assert torch.equal(alone[0], together[model])


def test_the_gain_is_the_attack_networks_cross_entropy_on_members() -> None:
    attack_network = made()
    logits, labels = batch(2)
    odds = attack_network(seen(logits, labels))
    expected = -torch.sigmoid(odds).log().mean(1)
    torch.testing.assert_close(member_cross_entropy(attack_network, logits, labels), expected)


def test_a_step_along_the_gradient_misleads_the_attack_network_more() -> None:
    records = make_problem("fc", 2)
    protection = at_work("adversarial", 1e4, fresh("fc", 2), records)
    protection.before_step(records.train[:, :8], answers)
    assert isinstance(protection, Adversarial)
    attack_network = protection._attack_network
    assert attack_network is not None
    logits, labels = batch(2)
    logits.requires_grad_()
    (gradient,) = torch.autograd.grad(protection.losses(logits, labels).sum(), logits)
    moved = logits.detach() - 1e-3 * gradient
    assert (
        member_cross_entropy(attack_network, moved, labels)
        > member_cross_entropy(attack_network, logits, labels)
    ).all()


def test_it_is_shown_members_and_validation_records_only() -> None:
    records = make_problem("fc", 2)
    queried = []

    def query(rows: Tensor) -> Tensor:
        queried.append(rows)
        return torch.zeros(*rows.shape, CLASSES)

    protection = at_work("adversarial", 1.0, fresh("fc", 2), records)
    for start in range(0, 64, 16):
        protection.before_step(records.train[:, start : start + 16], query)
    for model in range(2):
        others = torch.cat([rows[model, 16:] for rows in queried])
        assert set(others.tolist()) <= set(records.validation[model].tolist())
        assert len(set(others.tolist())) > 20


def test_it_learns_to_recognize_members_that_differ() -> None:
    records = make_problem("fc", 2)
    members = [set(row.tolist()) for row in records.train]

    def query(rows: Tensor) -> Tensor:
        told = torch.zeros(*rows.shape, CLASSES)
        for model, row in enumerate(rows.tolist()):
            for place, record in enumerate(row):
                told[model, place, 0] = 3.0 if record in members[model] else 0.0
        return told

    protection = at_work("adversarial", 1.0, fresh("fc", 2), records)
    assert isinstance(protection, Adversarial)
    for _ in range(60):
        protection.before_step(records.train[:, :64], query)
    attack_network = protection._attack_network
    assert attack_network is not None
    rows = torch.cat([records.train[:, :20], records.validation[:, :20]], dim=1)
    odds = attack_network(seen(query(rows), records.y[rows]))
    assert ((odds > 0)[:, :20]).float().mean() > 0.9
    assert ((odds > 0)[:, 20:]).float().mean() < 0.1


def test_members_differ_less_in_confidence() -> None:
    gaps = {}
    for strength in (0.0, 6.0):
        records = make_problem("fc", 2, noise=0.6)
        # the goal is never reached: no model stops early, and the last weights are kept
        settings = Settings(
            epochs=40, stop_at_member_accuracy=1.1, batch_size=32, learning_rate=3e-3
        )
        trained = train_stack(
            fresh("fc", 2, dropout=False), records, settings, seed=3, stage="fine_tune",
            protect=make_protection("adversarial", strength),
        )  # fmt: skip
        ensemble = fresh("fc", 2, dropout=False).eval()
        ensemble.load(trained.state)
        means = []
        for rows in (records.train, records.validation):
            with torch.no_grad():
                p = ensemble(ensemble.inputs(records.x[rows])).softmax(2)
            means.append(p.gather(2, records.y[rows][..., None]).mean())
        gaps[strength] = float(means[0] - means[1])
    assert gaps[6.0] < 0.6 * gaps[0.0]
