"""What the runs of one experiment under other seeds say: as reports, and as two small tables.

A run's own artifacts hold far more than that; the tables let an example come with its seeds.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from prunepriv.evaluation import CHOSEN, METRICS, figure_of
from prunepriv.plan import contrasts
from prunepriv.store.result import Result

FOLDER = "seeds"
"""Of an example's folder, the one that holds the tables."""

ABOUT = ("attack", "metric", "class", "from_model", "from_adversary", "to_model", "to_adversary")
"""Columns of differences.csv that say what is compared; then one column for each seed."""

SIDE = ("model", "adversary", "attack", "figure")
"""Columns of attacks.csv; then one column for each seed."""

DIGITS = 6

Report = dict[str, Any]
"""{"seed", "contrasts", "attacks"}: what :mod:`prunepriv.store.over_seeds` reads of a run."""


def seed_report(result: Result) -> Report | None:
    """A run's report for figures over seeds; None while a step of it is missing.

    Of the classes it holds the gaps only: attacks by class are many rows that no page shows.
    """
    attacks: list[dict[str, Any]] = []
    for target in result.targets:
        rows = result.evaluation(target)
        if rows is None:
            return None
        attacks += [{**row, **target._asdict()} for row in rows]
    found: list[dict[str, Any]] = []
    for before, after in contrasts(result.experiment):
        contrast = result.contrast(before, after)
        if contrast is None:
            return None
        sides = {"from": before._asdict(), "to": after._asdict()}
        found += [
            {**row, **sides} for row in contrast if row["class"] is None or row["attack"] is None
        ]
    return {"seed": result.experiment.seed, "contrasts": found, "attacks": attacks}


def write_tables(reports: Sequence[Report], folder: Path) -> None:
    """Write the reports as ``differences.csv`` and ``attacks.csv``, a column for each seed."""
    folder.mkdir(parents=True, exist_ok=True)
    differences = [(dict(_differences(one)), one["seed"]) for one in reports]
    attacks = [(dict(_figures(one)), one["seed"]) for one in reports]
    _write(folder / "differences.csv", ABOUT, differences)
    _write(folder / "attacks.csv", SIDE, attacks)


def read_tables(folder: Path) -> list[Report]:
    """The reports of :func:`write_tables`; none if the folder does not exist."""
    if not folder.is_dir():
        return []
    differences, attacks = _read(folder / "differences.csv"), _read(folder / "attacks.csv")
    return [
        {
            "seed": seed,
            "contrasts": [_contrast(about, value) for about, value in rows],
            "attacks": _attacks(attacks[seed]),
        }
        for seed, rows in differences.items()
    ]


Cells = tuple[str, ...]


def _differences(report: Report) -> Iterator[tuple[Cells, float]]:
    for row in report["contrasts"]:
        if row["attack"] != CHOSEN:  # over seeds, the mean of the estimates chooses
            sides = (row[side][part] for side in ("from", "to") for part in ("model", "adversary"))
            label = "" if row["class"] is None else str(row["class"])
            yield (row["attack"] or "", row["metric"], label, *sides), row["difference"]


def _figures(report: Report) -> Iterator[tuple[Cells, float]]:
    for row in report["attacks"]:
        side = (row["model"], row["adversary"], row["attack"])
        yield from (((*side, metric), figure_of(row, metric)) for metric in METRICS)
        if row["estimate"] is not None:
            yield (*side, "estimate"), row["estimate"]


def _write(
    file: Path, about: Sequence[str], tables: Sequence[tuple[dict[Cells, float], int]]
) -> None:
    rows = dict.fromkeys(cells for table, _ in tables for cells in table)
    with file.open("w", newline="", encoding="utf-8") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow([*about, *(seed for _, seed in tables)])
        for cells in rows:
            values = (table.get(cells) for table, _ in tables)
            writer.writerow([*cells, *("" if v is None else round(v, DIGITS) for v in values)])


def _read(file: Path) -> dict[int, list[tuple[Mapping[str, str], float]]]:
    """By seed: what each value is about, and the value."""
    with file.open(newline="", encoding="utf-8") as lines:
        reader = csv.DictReader(lines)
        seeds = [name for name in reader.fieldnames or () if name.isdecimal()]
        found: dict[int, list[tuple[Mapping[str, str], float]]] = {int(s): [] for s in seeds}
        for row in reader:
            about = {name: text for name, text in row.items() if name not in seeds}
            for seed in seeds:
                if row[seed]:
                    found[int(seed)].append((about, float(row[seed])))
    return found


def _contrast(about: Mapping[str, str], difference: float) -> dict[str, Any]:
    return {
        "attack": about["attack"] or None,
        "metric": about["metric"],
        "class": int(about["class"]) if about["class"] else None,
        "from": {"model": about["from_model"], "adversary": about["from_adversary"]},
        "to": {"model": about["to_model"], "adversary": about["to_adversary"]},
        "difference": difference,
    }


def _attacks(rows: Sequence[tuple[Mapping[str, str], float]]) -> list[dict[str, Any]]:
    """A row per attack and target, with its figures as the evaluation names them."""
    found: dict[Cells, dict[str, Any]] = {}
    for about, value in rows:
        side = (about["model"], about["adversary"], about["attack"])
        names = dict(zip(("model", "adversary", "attack"), side, strict=True))
        row = found.setdefault(side, {**names, "estimate": None, "tpr_at_fpr": {}})
        alpha = about["figure"].partition("_fpr_")[2]
        if alpha:
            row["tpr_at_fpr"][alpha] = value
        else:
            row[about["figure"]] = value
    return list(found.values())
