"""A run's figures and steps as tables on the terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from prunepriv.evaluation import CHOSEN, SEEDS_THAT_DECIDE, by_attack, is_guessing, word_of
from prunepriv.options import ATTACKS
from prunepriv.plan import read_name
from prunepriv.prose import failed_checks, privacy_statement, signed, size_statement
from prunepriv.store.report import SIZE_FIELDS
from prunepriv.store.schema import RunView, StepView

SIZES = ("parameters", "multiplications")
"""A model's size, as fields of the report; multiplications are those for one record."""
EPOCHS = "kept epochs"
"""How many epochs the kept weights were trained for, of how many: of training or of fine-tuning."""
CONSOLE_WIDTH = 120
"""Characters per line of a table that goes to a file or a pipe."""


def console() -> Console:
    """Standard output; CONSOLE_WIDTH wide unless it is a terminal."""
    plain = Console()
    return plain if plain.is_terminal else Console(width=CONSOLE_WIDTH)


def print_run(report: Mapping[str, Any]) -> None:
    """Print the models, attacks and checks of a finished run, see ``store.report``.

    What a failed check means comes first.
    """
    out = console()
    for sentences in failed_checks(report["checks"]):
        print_warning(" ".join(sentences))
    models = Table(title=report["run"], title_justify="left")
    for column in ("model", "member accuracy", "non-member accuracy", "sparsity", *SIZES, EPOCHS):
        models.add_column(column, justify="left" if column == "model" else "right")
    for row in report["models"]:
        figures = (row["member_accuracy"], row["non_member_accuracy"], row["sparsity"])
        sizes = ("" if row[size] is None else f"{row[size]:,}" for size in SIZES)
        epochs = f"{row['kept_epochs']} of {row['trained_epochs']}"
        models.add_row(row["model"], *map(_percent, figures), *sizes, epochs)
    out.print(models)
    for row in report["models"]:
        told = size_statement({name: row.get(name) for name in SIZE_FIELDS})
        if told:
            out.print(f"{row['model']}: {told}", markup=False, highlight=False)
    for row in report["models"]:
        if row["privacy"] is not None:
            out.print(privacy_statement(row["privacy"]))
    attacks = Table(title="attack accuracy (guessing: 50 %)", title_justify="left")
    for column in ("model", "adversary", "attack"):
        attacks.add_column(column)
    for column in ("accuracy", "95 % interval", "AUC", "TPR at 1 % FPR"):
        attacks.add_column(column, justify="right")
    for row in report["attacks"]:
        attacks.add_row(
            row["model"],
            row["adversary"].replace("_", "-"),
            ATTACKS[row["attack"]].label,
            _percent(row["accuracy"]),
            " to ".join(_percent(bound) for bound in row["accuracy_ci95"]),
            f"{row['auc']:.3f}",
            _percent(row["tpr_at_fpr"]["0.01"]),
        )
    out.print(attacks)
    out.print(_headlines(report["headline"]))
    if report["contrasts"]:
        out.print(_changes(report["contrasts"]))
    print_checks(report["checks"])


def _headlines(rows: Sequence[Mapping[str, Any]]) -> Table:
    """The attacks that adversaries would choose before they meet the target."""
    table = Table(title="attack chosen beforehand, on shadow records", title_justify="left")
    for column in ("model", "adversary", "attack"):
        table.add_column(column)
    for column in ("expected", "p on the target"):
        table.add_column(column, justify="right")
    for row in rows:
        who = row["model"], row["adversary"].replace("_", "-")
        if row["attack"] is None:
            table.add_row(*who, f"none: {row['why']}", "", "")
            continue
        expected = f"{_percent(row['estimate'])} \u00b1 {100 * row['standard_error']:.1f}"
        word = " (guessing)" if is_guessing(row["p"]) else ""
        table.add_row(*who, ATTACKS[row["attack"]].label, expected, f"{row['p']:.2g}{word}")
    return table


def _changes(rows: Sequence[Mapping[str, Any]]) -> Table:
    """Paired differences of attack accuracies: of the chosen attacks, and the range of all."""
    title = "changes of attack accuracy on the same records, in points"
    table = Table(title=title, title_justify="left")
    for column in ("from", "to", "chosen attack", "by the same attack"):
        table.add_column(column)
    pairs: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for row in rows:
        pairs.setdefault((_side(row["from"]), _side(row["to"])), []).append(row)
    for pair, ours in pairs.items():
        found = by_attack(ours)
        policy = found.pop(CHOSEN, None)
        each = sorted(found.values(), key=lambda row: float(row["difference"]))
        ends = _range([_end(row) for row in each])
        table.add_row(*pair, "" if policy is None else _difference(policy), ends)
    return table


def print_over_seeds(rows: Sequence[Mapping[str, Any]]) -> None:
    """Print the differences of attack accuracies over seeds, see ``store.over_seeds``."""
    out = console()
    seeds = max((row["seeds"] for row in rows), default=0)
    table = Table(
        title=f"changes of attack accuracy over {seeds} seeds, in points", title_justify="left"
    )
    for column in ("from", "to", "attack", "mean", "95 % interval", ""):
        table.add_column(column, justify="right" if column == "mean" else "left")
    for row in rows:
        if row["metric"] != "accuracy" or row["class"] is not None:
            continue
        bounds = row["ci95"] or ()
        name = CHOSEN if row["attack"] == CHOSEN else ATTACKS[row["attack"]].label
        interval = " to ".join(signed(100 * bound, 1) for bound in bounds)
        few = "" if seeds >= SEEDS_THAT_DECIDE else "too few seeds"
        word = few or ("clear" if row["clear"] else "undecided")
        sides = _side(row["from"]), _side(row["to"])
        table.add_row(*sides, name, signed(100 * row["mean"], 1), interval, word)
    out.print(table)
    out.print(
        "Splits of one data set share records: the interval is over training and splits, not over "
        "populations."
    )


def _range(ends: Sequence[str]) -> str:
    return " to ".join(dict.fromkeys((ends[0], ends[-1]))) if ends else ""


def _end(row: Mapping[str, Any]) -> str:
    """An end of a range: "+3.0 (RMIA)", "-3.8 (Conf, undecided)"."""
    doubt = "" if row["clear"] else ", undecided"
    return f"{signed(100 * row['difference'], 1)} ({ATTACKS[row['attack']].label}{doubt})"


def _difference(row: Mapping[str, Any]) -> str:
    low, high = (signed(100 * bound, 1) for bound in row["ci95"])
    return f"{signed(100 * row['difference'], 1)} [{low}, {high}] {word_of(tuple(row['ci95']))}"


def _side(side: Mapping[str, str]) -> str:
    who = "" if side["adversary"] == "adaptive" else ", non-adaptive"
    return side["model"] + who


def print_warning(sentence: str) -> None:
    """Print a sentence that no reader of the figures may miss."""
    console().print(sentence, style="bold", markup=False, highlight=False)


def print_checks(checks: Sequence[Mapping[str, Any]]) -> None:
    """Print the checks of a run, failed ones first and in capitals."""
    table = Table(title="checks", title_justify="left")
    for column in ("check", "", "found"):
        table.add_column(column, overflow="fold")
    standing = {True: "passed", False: "FAILED", None: ""}
    for row in sorted(checks, key=lambda row: row["passed"] is not False):
        table.add_row(row["label"], standing[row["passed"]], row["detail"])
    console().print(table)


def print_runs(runs: Sequence[RunView]) -> None:
    """Print a list of runs, in the given order."""
    table = Table()
    for column in ("run", "status", "submitted", "what"):
        table.add_column(column, overflow="fold" if column == "run" else "ellipsis")
    for run in runs:
        settings = run.settings
        defense = settings["defense"]
        words = [settings["pruning"]["approach"], f"seed {settings['seed']}"]
        if defense["name"] != "none":
            words.append(f"{defense['name']} {defense['strength']:g}")
        submitted = run.created.astimezone().strftime("%Y-%m-%d %H:%M")
        table.add_row(run.run_id, run.status, submitted, run.error or ", ".join(words))
    console().print(table)


def print_steps(steps: Sequence[StepView]) -> None:
    """Print a run's steps, those of its shadows together: their time, and which were in the store."""
    table = Table(title="steps", title_justify="left")
    for column in ("step", "status", "seconds", "key"):
        table.add_column(column, justify="right" if column == "seconds" else "left")
    together: dict[str, list[StepView]] = {}
    for step in steps:
        together.setdefault(_row_name(step), []).append(step)
    for name, ours in together.items():
        known = [step.seconds for step in ours if step.seconds is not None]
        seconds = f"{sum(known):.2f}" if known else ""
        key = ours[0].key[:12] if len(ours) == 1 else f"{len(ours)} models"
        table.add_row(name, _standing(ours), seconds, key)
    console().print(table)


def _row_name(step: StepView) -> str:
    parts = read_name(step.name)
    return f"{parts.group}:shadows" if parts.of_shadow else step.name


def _standing(steps: Sequence[StepView]) -> str:
    at_work = next((step for step in steps if step.status == "running"), None)
    if at_work is not None:
        return f"{at_work.fraction:.0%} {at_work.message}".strip()
    if all(step.cached for step in steps):
        return "cached"
    return next((step.status for step in steps if step.status != "done"), "done")


def _percent(fraction: float) -> str:
    return f"{100 * fraction:.1f} %"
