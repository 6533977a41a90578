"""The same experiment under other seeds: what they say together, and a button for more of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import streamlit as st

from prunepriv.engine.client import default_workers
from prunepriv.evaluation import CHOSEN
from prunepriv.experiment import Experiment
from prunepriv.experiment.command import command_line
from prunepriv.experiment.seeds import more_seeds, same_but_seed
from prunepriv.experiment.sweep import Sweep, make_sweep
from prunepriv.figures import findings
from prunepriv.figures.contrasts import attack_label
from prunepriv.figures.seeds import seed_dots
from prunepriv.plan import Target, contrast_name, contrasts
from prunepriv.store.over_seeds import over_seeds
from prunepriv.store.result import Result
from prunepriv.store.seed_tables import FOLDER, Report, read_tables, seed_report
from prunepriv.ui.charts import chart
from prunepriv.ui.frame import Frame
from prunepriv.ui.glossary import tip
from prunepriv.ui.launching import is_running, known_cost, link_to_progress, submit_sweep
from prunepriv.ui.pairs import PAIRS
from prunepriv.ui.provenance import Provenance
from prunepriv.ui.runs import entries, examples, result_of

Row = dict[str, Any]
Choose = Callable[[Row], str | None]
"""What a row is called in the chart; None if it is not drawn."""


@dataclass(frozen=True)
class View:
    """A chart of differences over seeds.

    Attributes:
        choose: which differences, and what each is called.
        axis: what differs, the title of the chart's axis; another view has another one.
        fractions: the values are fractions, told in points.
        nothing: why there may be no difference at all.
        most: of more differences the chart shows the largest; the sentence counts all.
    """

    choose: Choose
    axis: str
    fractions: bool = True
    nothing: str = "no attack can be chosen beforehand without estimates on shadow records"
    most: int = 16


def draw_other_seeds(frame: Frame, *views: View) -> None:
    """Draw the mean of the differences over the finished seeds, one mark per seed, and the button.

    Args:
        frame: the run in view.
        views: the charts, side by side.
    """
    if frame.live or not contrasts(frame.experiment):
        return
    reports = _reports(frame)
    if frame.experiment.seed not in reports:
        return  # its own figures are not complete
    st.subheader("Other seeds", anchor=False, help=tip("over_seeds"))
    seeds = sorted(reports)
    if len(seeds) > 1:
        with st.grid(len(views), min_column_width=420, gap="medium"):
            for number, view in enumerate(views):
                with st.container():
                    _draw(frame, [reports[seed] for seed in seeds], view, f"over_seeds_{number}")
        st.caption(findings.SEEDS_BASIS)
    else:
        st.caption("Only this seed has been run: another seed may change every figure.")
    _offer(frame, seeds)


def chosen_changes(row: Row) -> str | None:
    """Every change of what an adversary would choose, of accuracy."""
    return _pair(row) if _is(row, "accuracy", CHOSEN) else None


def changes_of(attack: str) -> Choose:
    """Every change of one attack's accuracy."""
    return lambda row: _pair(row) if _is(row, "accuracy", attack) else None


def gap_changes(quantity: str, label: int | None) -> Choose:
    """Every change of a gap, over all records or in one class."""
    return lambda row: _pair(row) if _is(row, quantity, None, label) else None


def attacks_in(pair: tuple[Target, Target]) -> Choose:
    """One change, attack by attack."""
    return lambda row: (
        attack_label(row["attack"])
        if row["class"] is None and row["metric"] == "accuracy" and _targets(row) == pair
        else None
    )


def classes_in(pair: tuple[Target, Target], metric: str, names: Sequence[str]) -> Choose:
    """One change of a gap, class by class."""
    return lambda row: (
        names[row["class"]]
        if row["class"] is not None and row["metric"] == metric and _targets(row) == pair
        else None
    )


def _is(row: Row, metric: str, attack: str | None, label: int | None = None) -> bool:
    return (row["metric"], row["attack"], row["class"]) == (metric, attack, label)


def _targets(row: Row) -> tuple[Target, Target]:
    return Target(**row["from"]), Target(**row["to"])


def _pair(row: Row) -> str | None:
    names = {pair: name for name, pair in PAIRS.items()}
    return names.get(_targets(row))


def _reports(frame: Frame) -> dict[int, Report]:
    """The reports of the finished runs of this experiment, by seed; its own is one of them."""
    mine, found = frame.experiment, dict[int, Report]()
    for example in examples():
        if same_but_seed(example.experiment, mine):
            found |= {one["seed"]: one for one in _tables(example.folder / FOLDER)}
    for entry in entries().values():
        finished = entry.view is None or entry.view.status == "done"
        if finished and same_but_seed(entry.experiment, mine):
            ended = None if entry.view is None else entry.view.finished
            report = _report(entry.run_id, str(ended), result_of(entry))
            if report is not None:
                found[entry.experiment.seed] = report
    return found


def _draw(frame: Frame, reports: Sequence[Report], view: View, key: str) -> None:
    seeds = [report["seed"] for report in reports]
    rows = _over_seeds(frame.run_id, tuple(seeds), reports)
    called = ((view.choose(row), row) for row in rows)
    shown = {what: row for what, row in called if what is not None}
    if not shown:
        st.caption(f"There is nothing to compare: {view.nothing}.")
        return
    ordered = dict(sorted(shown.items(), key=_order))
    largest = sorted(ordered, key=lambda what: -abs(ordered[what]["mean"]))[: view.most]
    drawn = {what: row for what, row in ordered.items() if what in largest}
    own, axis, fractions = frame.experiment.seed, view.axis, view.fractions
    chart(
        key,
        _provenance(frame, seeds),
        lambda look: seed_dots(drawn, seeds, own, axis, look, fractions),
        finding=findings.over_seeds(ordered, fractions),
        alt=f"{axis.capitalize()} under {len(seeds)} seeds, their mean and its interval",
        choices=(tuple(seeds), axis),  # a finished run's figures never change
    )


def _provenance(frame: Frame, seeds: Sequence[int]) -> Provenance:
    """This run's comparisons, and the command that runs all the seeds."""
    own = frame.provenance(*(contrast_name(*pair) for pair in contrasts(frame.experiment)))
    return replace(own, command=command_line(frame.experiment, seeds))


def _order(one: tuple[str, Row]) -> tuple[int, float]:
    """Changes in the order in which they are told; of one change the choice, then the largest."""
    what, row = one
    if what in PAIRS:
        return list(PAIRS).index(what), 0.0
    return (0 if row["attack"] == CHOSEN else 1), -row["mean"]


@st.cache_resource(max_entries=64, show_spinner=False)
def _report(run_id: str, ended: str, _result: Result) -> Report | None:
    """A finished run's report, read once; it must not be modified."""
    return seed_report(_result)


@st.cache_resource(max_entries=32, show_spinner=False)
def _over_seeds(run_id: str, seeds: tuple[int, ...], _reports: Sequence[Report]) -> list[Row]:
    """The rows of these seeds' runs: a finished run's figures never change."""
    return over_seeds(_reports)


@st.cache_resource(max_entries=16, show_spinner=False)
def _tables(folder: Path) -> list[Report]:
    return read_tables(folder)


def _offer(frame: Frame, taken: Sequence[int]) -> None:
    """A button that runs more seeds, with what it costs; or a link to those that are running."""
    sweep = _more(frame.run_id, tuple(taken), frame.experiment)
    if is_running(sweep):
        link_to_progress(frame, sweep, "More seeds")
        return
    cost = known_cost(sweep.sweep_id, sweep.experiments)
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button(
            f"Run {len(sweep.cells)} more seeds", icon=":material/play_arrow:", key="more_seeds"
        ):
            submit_sweep(sweep)
        st.caption(f"Time: {cost.time_words(default_workers())}.")


@st.cache_resource(max_entries=32, show_spinner=False)
def _more(run_id: str, taken: tuple[int, ...], _experiment: Experiment) -> Sweep:
    return seeds_sweep(_experiment, more_seeds(taken))


def seeds_sweep(experiment: Experiment, seeds: Sequence[int]) -> Sweep:
    """The sweep that runs an experiment under these seeds."""
    base = experiment.model_dump(mode="json", exclude={"seed"})
    name = f"seeds of {experiment.run_id}"
    return make_sweep({"name": name, "base": base, "grid": {"seed": list(seeds)}})
