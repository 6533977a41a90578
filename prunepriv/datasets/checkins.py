"""Synthetic check-ins modelled on Location: which places each person visited.

The model follows what is known about check-ins:

1. The popularity of places follows Zipf's law: that of the r-th place is in proportion to 1 / r.
2. People belong to groups of unequal size (the classes). Each group likes a place more or less than
   other groups do: a log-normal factor on the place's popularity.
3. Each person has habits: a log-normal factor on each place's popularity, drawn for each person.
4. The number of places that a person visits is log-normal. The places are drawn without
   replacement; each has the weight (1 - d) x the group's liking + d x the person's habit, both
   normalised.

d is the knob *distinctiveness*. At 0 people differ from their group by chance only, and what a
model learns from members also holds for non-members. At 1 a model can only memorise each person's
group, and the more it memorises, the more it leaks about its members.

The constants were chosen to match Location: 21 to 205 places per person (mean 54, standard
deviation 20); places visited by 3 % (the rarest) to 99 % of all people, half of them by less than
6 %; groups of 97 to 308 people.
"""

from __future__ import annotations

import numpy as np

from prunepriv.datasets.base import Records

PEOPLE, PLACES, GROUPS = 5010, 446, 30
VISITS_MEDIAN, VISITS_SPREAD = 50.0, 0.36
FEWEST_VISITS, MOST_VISITS = 21, 205
GROUP_SIZE_SPREAD = 0.28
GROUP_TASTE = 1.05
HABIT = 1.6
SEED = 20_160_121


def generate(distinctiveness: float) -> Records:
    """Records of 5,010 people; the same knob always gives the same records.

    Args:
        distinctiveness: share of a person's visits that come from their own habits, 0 to 1.

    Returns:
        x uint8 (5010, 446), 1 where the person visited the place; y int64 (5010,), the group.
    """
    rng = np.random.default_rng(SEED)
    popularity = rng.permutation(1.0 / np.arange(1, PLACES + 1)).astype(np.float32)
    sizes = np.exp(GROUP_SIZE_SPREAD * rng.standard_normal(GROUPS))
    y = rng.choice(GROUPS, size=PEOPLE, p=sizes / sizes.sum())
    liking = _shares(popularity * _log_normal(rng, GROUP_TASTE, (GROUPS, PLACES)))
    habits = _shares(popularity * _log_normal(rng, HABIT, (PEOPLE, PLACES)))
    visits = VISITS_MEDIAN * np.exp(VISITS_SPREAD * rng.standard_normal(PEOPLE))
    weights = (1 - distinctiveness) * liking[y] + distinctiveness * habits
    x = draw(rng, weights, np.clip(np.rint(visits), FEWEST_VISITS, MOST_VISITS).astype(int))
    return x, y.astype(np.int64)


def _log_normal(rng: np.random.Generator, spread: float, shape: tuple[int, int]) -> np.ndarray:
    exponent = rng.standard_normal(shape, dtype=np.float32) * np.float32(spread)
    return np.asarray(np.exp(exponent))


def _shares(weights: np.ndarray) -> np.ndarray:
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))


def draw(rng: np.random.Generator, weights: np.ndarray, visits: np.ndarray) -> np.ndarray:
    """Draw each person's places without replacement, in proportion to the weights.

    An exponential race (Efraimidis & Spirakis 2006): place j gets the random time Exp(1) / w_j, and
    the person visits the places with the smallest times.

    Args:
        weights: (n, places), positive.
        visits: (n,), how many places each person visits.

    Returns:
        uint8 (n, places), 1 where the person visits the place.
    """
    finish = rng.standard_exponential(weights.shape, dtype=np.float32) / weights
    last = np.take_along_axis(np.sort(finish, axis=1), visits[:, None] - 1, axis=1)
    return np.asarray(finish <= last, dtype=np.uint8)
