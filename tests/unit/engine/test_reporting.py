from __future__ import annotations

import pytest

from prunepriv.engine.reporting import StepReport
from prunepriv.errors import Cancelled

Sent = list[tuple[float, str, list[dict[str, float]]]]


def collect(every: float) -> tuple[Sent, StepReport]:
    sent: Sent = []
    return sent, StepReport(lambda *message: sent.append(message), lambda: False, every)


def test_few_messages_and_every_point() -> None:
    sent, report = collect(every=3600.0)
    for epoch in range(1, 101):
        report(epoch / 100, f"epoch {epoch}", {"epoch": epoch})
    assert len(sent) == 1, "the first is sent at once"
    report.flush()
    assert len(sent) == 2
    assert sent[1][:2] == (1.0, "epoch 100")
    points = [point["epoch"] for _, _, points in sent for point in points]
    assert points == list(range(1, 101))


def test_nothing_is_sent_twice() -> None:
    sent, report = collect(every=0.0)
    report(0.5, "half", {"loss": 1})
    report.flush()
    assert sent == [(0.5, "half", [{"loss": 1.0}])]


@pytest.mark.parametrize(("given", "kept"), [(-0.1, 0.0), (1.2, 1.0), (0.3, 0.3)])
def test_a_fraction_is_limited_to_0_to_1(given: float, kept: float) -> None:
    sent, report = collect(every=0.0)
    report(given)
    assert sent[0][0] == kept


def test_a_step_that_should_stop_is_cancelled() -> None:
    report = StepReport(lambda *_: None, lambda: True)
    with pytest.raises(Cancelled, match="cancelled"):
        report(0.1)
