"""Numbers as people write them."""

from __future__ import annotations

import pytest

from prunepriv.prose import (
    between,
    capital,
    count,
    duration,
    failed_checks,
    failed_runs,
    join,
    percent,
    points,
    privacy_statement,
    rounded,
    short,
    signed,
    size_statement,
)


def test_percent_and_points():
    assert percent(0.7834) == "78.3 %"
    assert percent(-0.02, 0) == "−2 %"
    assert points(0.0521) == "+5.2 points"
    assert points(-0.0001) == "+0.0 points"


@pytest.mark.parametrize(
    ("value", "text"), [(0.0634, "+0.06"), (-0.0634, "−0.06"), (-0.001, "+0.00")]
)
def test_signed_is_never_minus_nothing(value, text):
    assert signed(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0"), (0.01234, "0.0123"), (4.56, "4.56"), (1.2e-5, "1e−5"), (-0.5, "−0.5")],
)
def test_short(value, text):
    assert short(value) == text


def test_rounded_keeps_three_digits():
    assert rounded(0.38) == "0.380"
    assert rounded(0.01234) == "0.0123"


def test_join():
    assert join([]) == ""
    assert join(["a"]) == "a"
    assert join(["a", "b", "c"]) == "a, b and c"
    assert join(["a", "b"], "or") == "a or b"


def test_between_tells_the_ends_apart():
    assert between(0.25, 0.5) == ("0.25", "0.5")
    assert between(0.99991, 0.99998) == ("0.9999", "1")
    assert between(0.9999123, 0.9999124) == ("0.9999123", "0.9999124")
    assert between(2.0, 2.0) == ("2", "2")


@pytest.mark.parametrize(
    ("number", "text"),
    [(0, "0"), (8192, "8,192"), (999_999, "999,999"), (1_234_567, "1.23 million"),
     (2_860_000_000, "2.86 billion")],
)  # fmt: skip
def test_large_numbers_keep_three_digits_that_say_something(number, text):
    assert count(number) == text


def test_a_sentence_begins_with_a_capital():
    assert capital("label smoothing 0.1 costs") == "Label smoothing 0.1 costs"
    assert capital("") == ""


def test_the_promise_of_dp_sgd_is_no_larger_than_it_is():
    privacy = {
        "epsilon": 13.42, "delta": 1e-5, "steps": 1080, "budget_steps": 2250,
        "epsilon_of_steps": 8.914,
    }  # fmt: skip
    told = privacy_statement(privacy)
    assert told.startswith(
        "\u03b5 = 13.4 at \u03b4 = 1e\u22125 for the 2,250 steps that the fine-tuning may take"
    )
    assert "the whole has no finite \u03b5" in told
    assert (
        "The 1,080 steps that were taken would have \u03b5 = 8.91, which is not guaranteed" in told
    )
    fixed = {**privacy, "steps": 2250, "epsilon_of_steps": 13.42}
    assert "taken" not in privacy_statement(fixed), "both are the same"
    assert "no guarantee" in privacy_statement({"epsilon": None, "delta": 1e-5})


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"), (0.2, "1 s"), (59.6, "1 min"), (61, "1 min 1 s"), (200, "3 min 20 s"),
        (900, "15 min"), (3599.7, "1 h"), (7300, "2 h 1 min"), (14400, "4 h"), (14459, "4 h"),
        (-1, "0 s"),
    ],
)  # fmt: skip
def test_durations_read_as_people_say_them(seconds, words):
    assert duration(seconds) == words


def _row(label: str, passed: bool | None) -> dict[str, object]:
    return {"label": label, "passed": passed, "detail": f"{label} says this."}


def test_only_failed_checks_are_told_with_what_they_mean() -> None:
    rows = [_row("A", True), _row("B", False), _row("C", None)]
    assert failed_checks(rows) == [
        (
            "A hygiene check of this run failed: \u201cB\u201d.",
            "B says this. Do not rely on the figures of this run until the reason is known.",
        )
    ]
    assert failed_checks([]) == []


def test_the_failed_checks_of_a_sweep_are_told_once_each() -> None:
    learned = _row("Models learnt something", False)
    failed = {f"run-{number}": [learned] for number in range(5)}
    failed["run-1"] = [learned, _row("B", False)]
    first, second = failed_runs(failed, 12)
    assert first.startswith(
        "A hygiene check failed in 5 of 12 runs: \u201cModels learnt something\u201d "
        "(run-0, run-1, run-2 and 2 more). A low attack accuracy is not safety here: "
    )
    assert second == (
        "A hygiene check failed in 1 of 12 runs: \u201cB\u201d (run-1). Do not rely on the figures "
        "of these runs until the reason is known."
    )
    assert failed_runs({}, 12) == []


STRUCTURED = {
    "removed_channels": 0.6,
    "emitting_channels": 0.25,
    "parameters_left": 0.5,
    "multiplications_left": 0.375,
}


def test_what_pruning_left_and_why_it_is_less_than_the_zero_weights_say() -> None:
    told = size_statement(STRUCTURED)
    assert told.startswith("60.0 % of the channels were removed: their own weights count")
    assert "25.0 % of the channels were removed but still emit" in told
    assert "50.0 % of the parameters and 37.5 % of the multiplications are left." in told
    assert "emit" not in size_statement({**STRUCTURED, "emitting_channels": 0.0})


def test_of_single_weights_no_channels_are_told() -> None:
    single = {**STRUCTURED, "removed_channels": None, "emitting_channels": None}
    assert size_statement(single).startswith("Without all that is dead, 50.0 %")


def test_nothing_is_told_of_a_whole_model_or_where_nothing_was_counted() -> None:
    assert size_statement(None) == ""
    assert size_statement(dict.fromkeys(STRUCTURED)) == ""
    whole = {**dict.fromkeys(STRUCTURED), "parameters_left": 1.0, "multiplications_left": 1.0}
    assert size_statement(whole) == ""
