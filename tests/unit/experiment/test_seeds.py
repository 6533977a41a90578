"""One experiment under several seeds."""

from __future__ import annotations

import pytest

from prunepriv.errors import ExperimentError
from prunepriv.experiment import make_experiment
from prunepriv.experiment.seeds import more_seeds, read_seeds, same_but_seed, under_seeds


def test_seeds_are_read_once_each_and_in_their_order() -> None:
    assert read_seeds("3, 1,2 ,1") == [3, 1, 2]


@pytest.mark.parametrize(
    ("text", "least", "sentence"),
    [
        ("1,two", 1, "seeds are whole numbers with commas between them, as in 1,2,3, got '1,two'"),
        ("", 1, "seeds are whole numbers"),
        ("1;2", 1, "seeds are whole numbers"),
        ("1,1", 2, "2 different seeds or more are needed, got '1,1': name more of them"),
    ],
)
def test_what_is_no_list_of_seeds_is_refused(text: str, least: int, sentence: str) -> None:
    with pytest.raises(ExperimentError) as raised:
        read_seeds(text, least)
    assert str(raised.value).startswith(sentence)


def test_only_the_seed_differs() -> None:
    experiment = make_experiment({"defense": {"name": "ppb"}, "models": "all", "seed": 7})
    others = under_seeds(experiment, [1, 2])
    assert [one.seed for one in others] == [1, 2]
    assert all(same_but_seed(one, experiment) for one in others)
    strength = make_experiment({**experiment.model_dump(mode="json"), "shadows": 4})
    assert not same_but_seed(strength, experiment)


def test_a_seed_out_of_range_is_refused() -> None:
    with pytest.raises(ExperimentError, match="seed"):
        under_seeds(make_experiment({}), [-1])


def test_more_seeds_are_new_ones() -> None:
    assert more_seeds([1, 2, 5]) == [3, 4, 6, 7]
    assert more_seeds([], 2) == [1, 2]
