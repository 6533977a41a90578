"""Agreement against scikit-learn and a direct count."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, matthews_corrcoef

from prunepriv.figures.agreement import agreement_heatmap, judged_alike, phi, votes_chart
from prunepriv.figures.palette import LIGHT

ATTACKS = ("corr", "conf", "samia")


@pytest.fixture
def verdicts(rng):
    return {name: rng.random(80) < 0.3 + 0.2 * at for at, name in enumerate(ATTACKS)}


def test_shares_and_phi_against_scikit_learn(verdicts):
    array = np.array(list(verdicts.values()))
    for i, one in enumerate(array):
        for j, other in enumerate(array):
            assert judged_alike(array)[i, j] == pytest.approx(accuracy_score(one, other))
            assert phi(array)[i, j] == pytest.approx(matthews_corrcoef(one, other))


def test_phi_of_a_constant_verdict_is_not_a_number():
    array = np.array([[True] * 6, [True, False] * 3])
    assert np.isnan(phi(array)[0, 1])
    figure, _ = agreement_heatmap({"corr": array[0], "conf": array[1]}, "phi", LIGHT)
    assert figure.data[0].text[0][1] == ""


@pytest.mark.parametrize("measure", ["alike", "phi"])
def test_table_holds_every_pair_once(verdicts, measure):
    figure, pairs = agreement_heatmap(verdicts, measure, LIGHT)
    labels = list(figure.data[0].x)
    assert len(pairs) == 3
    z = np.array(figure.data[0].z)
    for row in pairs.to_dict("records"):
        assert z[labels.index(row["attack"]), labels.index(row["other"])] == row[measure]


def test_votes_against_a_direct_count(verdicts):
    member = np.arange(80) < 30
    figure, table = votes_chart(verdicts, member, LIGHT)
    for trace, inside in zip(figure.data, (member, ~member), strict=True):
        votes = [sum(bool(verdicts[name][at]) for name in ATTACKS) for at in np.flatnonzero(inside)]
        expected = [votes.count(number) for number in range(4)]
        assert list(trace.customdata) == expected
        assert np.allclose(trace.y, np.array(expected) / inside.sum())
    assert table.groupby("group")["share"].sum().tolist() == pytest.approx([1, 1])
