"""Which steps are done next, and which of them together."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prunepriv.engine.agenda import SMALL_STEPS, Agenda, together
from prunepriv.experiment import Experiment, make_experiment
from prunepriv.options import MODELS
from prunepriv.plan import TARGET, Step, plan

STACKED = MODELS["fc"].stacked
LARGE = {"model": {"name": "resnet18"}, "data": {"name": "shapes"}}


def experiment_of(**changes: Any) -> Experiment:
    settings = {"attacks": {"names": ["conf"]}, "models": ["pruned"], "shadows": 8}
    return make_experiment({**settings, **changes})


def nobody(key: str) -> bool:
    """No worker has a step."""
    return False


def agenda_of(experiment: Experiment, *done: str) -> Agenda:
    """An agenda after the steps whose names begin in one of these ways."""
    steps = plan(experiment).steps
    return Agenda(plan(experiment), {s.key for s in steps if not s.name.startswith(done or ("-",))})


def names(group: tuple[Step, ...]) -> list[str]:
    return [step.name for step in group]


def taken(agenda: Agenda, workers: int) -> list[list[str]]:
    """Everything that is ready, in groups, without finishing any."""
    return list(iter(lambda: names(agenda.take(workers, nobody)), []))


def all_groups(agenda: Agenda, workers: int) -> Iterator[tuple[Step, ...]]:
    """Every group until the run is done, each finished before the next is taken."""
    while group := agenda.take(workers, nobody):
        yield group
        for step in group:
            agenda.finish(step.key)


def test_a_page_s_first_steps_come_first_and_the_rest_in_the_order_of_the_plan() -> None:
    experiment = experiment_of(data={"name": "shapes"}, model={"name": "resnet18"}, shadows=2)
    order = [names(group)[0] for group in all_groups(agenda_of(experiment), 1)]
    first = ["data", "split:0", "train:0", "fine_tune:pruned:0", "signals:pruned:0"]
    assert order[:6] == [*first, "divergence:pruned"]
    ordinals = {step.name: ordinal for ordinal, step in enumerate(plan(experiment).steps)}
    ready = taken(agenda_of(experiment, "data", "split", "train", "fine_tune"), 1)
    assert [ordinals[group[0]] for group in ready] == sorted(ordinals[g[0]] for g in ready)


def test_a_step_waits_for_all_that_it_reads() -> None:
    agenda = agenda_of(experiment_of(shadows=2), "data", "split", "train", "fine_tune")
    signals = [["signals:pruned:0"], ["signals:pruned:1", "signals:pruned:2"]]
    assert taken(agenda, 1) == [*signals, ["size:pruned"]]
    by_name = agenda.plan.by_name
    agenda.finish(by_name["signals:pruned:1"].key)
    assert taken(agenda, 1) == []
    agenda.finish(by_name["signals:pruned:2"].key)
    assert taken(agenda, 1) == [["fit:conf:pruned"]], "which reads the shadows only"
    agenda.finish(by_name["signals:pruned:0"].key)
    assert taken(agenda, 1) == [["divergence:pruned"]]


def test_a_family_is_shared_between_the_workers() -> None:
    def shares(workers: int) -> list[int]:
        ready = taken(agenda_of(experiment_of(shadows=3), "data", "split"), workers)
        return [len(group) for group in ready if group != ["train:0"]]

    assert shares(1) == [3]
    assert shares(2) == [2, 1], "no worker waits while the other has two"
    assert shares(3) == shares(8) == [1, 1, 1]
    assert shares(0) == [3], "while a cluster has no worker at all"


def test_what_is_left_of_a_family_is_shared_again() -> None:
    agenda = agenda_of(experiment_of(shadows=6), "data", "split")
    assert names(agenda.take(2, nobody)) == ["train:0"]
    first = agenda.take(2, nobody)
    assert len(first) == 3
    for step in first:
        agenda.finish(step.key)
    assert names(agenda.take(2, nobody)) == ["train:4", "train:5"], "the last for the other worker"


def test_a_stack_stays_together_from_step_to_step() -> None:
    """What waits counts too: else each step would halve the stacks of the one before."""
    agenda = agenda_of(experiment_of(shadows=6), "data")
    assert names(agenda.take(2, nobody)) == ["split:0"]
    splits = agenda.take(2, nobody)
    assert names(splits) == [f"split:{number}" for number in range(1, 7)], "milliseconds"
    for step in splits:
        agenda.finish(step.key)
    stack = agenda.take(2, nobody)
    for kind in ("train", "fine_tune:pruned", "signals:pruned"):
        assert names(stack) == [f"{kind}:{number}" for number in (1, 2, 3)]
        if kind == "train":
            assert names(agenda.take(2, nobody)) == ["train:4", "train:5", "train:6"]
        for step in stack:
            agenda.finish(step.key)
        stack = agenda.take(2, nobody)
    assert stack == (), "the fit waits for the others"


def test_a_stack_holds_as_many_models_as_fit_the_cache() -> None:
    ready = taken(agenda_of(experiment_of(shadows=10), "data", "split"), 1)
    assert [len(group) for group in ready] == [1, STACKED, STACKED, 2]
    numbers = [name.partition(":")[2] for group in ready for name in group]
    assert numbers == [str(number) for number in range(11)]


def test_the_target_is_alone() -> None:
    experiment = experiment_of(defense={"name": "ppb"}, models="all", attacks={"names": ["lira"]})
    for group in all_groups(agenda_of(experiment), 1):
        numbers = {step.number for step in group}
        assert numbers == {TARGET} or TARGET not in numbers
        if numbers & {TARGET, None}:
            assert len(group) == 1


def test_a_group_differs_by_the_number_of_the_model_only() -> None:
    experiment = experiment_of(
        models=["original", "pruned"],
        knowledge={"sparsity": 0.5},
        attacks={"names": ["lira"]},
    )
    for group in all_groups(agenda_of(experiment), 1):
        assert len({step.family for step in group}) == 1
        assert len({step.name.rpartition(":")[0] for step in group if len(group) > 1}) <= 1
        params = [{k: v for k, v in step.params.items() if k != "number"} for step in group]
        assert all(one == params[0] for one in params)


@pytest.mark.parametrize(
    ("changes", "name", "most"),
    [
        ({}, "train:1", STACKED),
        ({}, "fine_tune:pruned:1", STACKED),
        ({}, "signals:pruned:1", STACKED),
        ({}, "split:1", SMALL_STEPS),
        ({"attacks": {"names": ["lira"]}}, "population:pruned:1", SMALL_STEPS),
        ({"attacks": {"names": ["lira"]}}, "confidences:pruned:1", SMALL_STEPS),
        (LARGE, "train:1", 1),
        (LARGE, "signals:pruned:1", 1),
        ({**LARGE, "attacks": {"names": ["lira"]}}, "population:pruned:1", 1),
        ({**LARGE, "attacks": {"names": ["lira"]}}, "confidences:pruned:1", 1),
        (LARGE, "split:1", SMALL_STEPS),
        ({"defense": {"name": "adversarial"}, "models": ["defended"]}, "train:1", STACKED),
        ({"defense": {"name": "ppb"}, "models": ["defended"]}, "fine_tune:defended:1", STACKED),
        ({"defense": {"name": "dp_sgd"}, "models": ["defended"]}, "fine_tune:defended:1", 1),
    ],
    ids=str,
)
def test_how_many_steps_one_worker_does_together(
    changes: dict[str, Any], name: str, most: int
) -> None:
    experiment = experiment_of(**changes)
    assert together(plan(experiment).by_name[name], experiment) == most


def test_a_step_that_another_run_s_worker_has_is_skipped_until_a_reset() -> None:
    experiment = experiment_of(shadows=3)
    agenda = agenda_of(experiment, "data", "split")
    theirs = agenda.plan.key("train:2")

    def busy(key: str) -> bool:
        return key == theirs

    assert names(agenda.take(1, busy)) == ["train:0"]
    assert names(agenda.take(1, busy)) == ["train:1", "train:3"]
    assert agenda.take(1, busy) == ()
    assert agenda.take(1, nobody) == (), "its end is awaited"
    left = {s.key for s in plan(experiment).steps if not s.name.startswith(("data", "split"))}
    agenda.reset(left)
    assert names(agenda.take(1, nobody)) == ["train:0"]
    assert names(agenda.take(1, nobody)) == ["train:1", "train:2", "train:3"]


def test_what_another_run_s_worker_has_done_is_not_done_again() -> None:
    agenda = agenda_of(experiment_of(shadows=4), "data", "split")
    assert names(agenda.take(1, nobody)) == ["train:0"]
    agenda.finish(agenda.plan.key("train:1"))
    agenda.finish(agenda.plan.key("train:3"))
    assert taken(agenda, 1) == [
        ["train:2", "train:4"],
        ["fine_tune:pruned:1", "fine_tune:pruned:3"],
    ]


def test_a_finished_step_is_finished_once() -> None:
    agenda = agenda_of(experiment_of(shadows=2), "data", "split", "train", "fine_tune")
    one, two = (agenda.plan.key(f"signals:pruned:{number}") for number in (1, 2))
    agenda.finish(one)
    agenda.finish(one)
    assert names(agenda.take(1, nobody)) == ["signals:pruned:0"]
    assert names(agenda.take(1, nobody)) == ["signals:pruned:2"], "the fit waits for it"
    agenda.finish(two)
    assert names(agenda.take(1, nobody)) == ["fit:conf:pruned"]


def test_more_shadows_leave_only_their_own_models_to_train() -> None:
    few, more = experiment_of(shadows=5), experiment_of(shadows=8)
    made = {step.key for step in plan(few).steps}
    agenda = Agenda(plan(more), {step.key for step in plan(more).steps} - made)
    done = [name for group in all_groups(agenda, 2) for name in names(group)]
    assert sorted(name for name in done if name.startswith("train:")) == [
        "train:6",
        "train:7",
        "train:8",
    ]
    assert not any(name.endswith(":0") for name in done), "nothing of the target"


@given(
    shadows=st.lists(st.integers(2, 9), min_size=1, max_size=2),
    workers=st.integers(1, 4),
    attacks=st.sampled_from([["conf"], ["lira", "conf"], ["nn", "rmia"]]),
    stored=st.sets(st.integers(0, 60)),
    data=st.data(),
)
def test_every_step_is_done_once_and_after_its_inputs(
    shadows: list[int], workers: int, attacks: list[str], stored: set[int], data: st.DataObject
) -> None:
    """Whatever is in the store, whichever worker ends first, and if two runs share their steps."""
    plans = [plan(experiment_of(shadows=count, attacks={"names": attacks})) for count in shadows]
    steps = {step.key: step for whole in plans for step in whole.steps}
    done = {key for ordinal, key in enumerate(steps) if ordinal in stored}
    agendas = [Agenda(whole, {step.key for step in whole.steps} - done) for whole in plans]
    begun = [*done]
    at_work: list[tuple[Step, ...]] = []

    def busy(key: str) -> bool:
        return any(key == step.key for group in at_work for step in group)

    while len(done) < len(steps):
        for agenda in agendas:
            while len(at_work) < workers and (group := agenda.take(workers, busy)):
                assert all(done.issuperset(step.inputs.values()) for step in group)
                begun += [step.key for step in group]
                at_work.append(group)
        assert at_work, "no worker has anything to do, and the runs are not done"
        for step in at_work.pop(data.draw(st.integers(0, len(at_work) - 1))):
            done.add(step.key)
            for agenda in agendas:
                agenda.finish(step.key)
    assert sorted(begun) == sorted(steps)
    assert not any(agenda.take(workers, busy) for agenda in agendas)


def test_taking_all_steps_looks_at_each_once() -> None:
    """The work grows with the steps: no group searches all the steps that are ready."""
    experiment = experiment_of(shadows=64, attacks={"names": ["lira"]})
    agenda, asked = agenda_of(experiment), 0

    def busy(key: str) -> bool:
        nonlocal asked
        asked += 1
        return False

    while group := agenda.take(2, busy):
        for step in group:
            agenda.finish(step.key)
    assert asked == len(plan(experiment).steps)
