"""``run`` and ``cancel``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from prunepriv.cli.app import Run, Store, app
from prunepriv.environment import store_folder
from prunepriv.errors import ExperimentError
from prunepriv.experiment import make_experiment
from prunepriv.experiment.presets import preset_settings
from prunepriv.options import APPROACHES, ATTACKS, DATASETS, DEFENSES, MODEL_KINDS, MODELS, RECIPES
from prunepriv.store.catalog import Catalog


@app.command()
def run(
    preset: Annotated[
        str | None, typer.Option(help="Start from a named preset; other options change it.")
    ] = None,
    dataset: Annotated[
        str | None,
        typer.Option(
            metavar="NAME|PATH",
            help=f"Data set: {', '.join(DATASETS)}; a file or folder of yours (see `data`), or "
            "own:DIGEST of one that was read.  [default: checkins]",
        ),
    ] = None,
    label_column: Annotated[
        str | None, typer.Option(help="The label's column in a file of yours.  [default: label]")
    ] = None,
    limit: Annotated[int | None, typer.Option(help="Only the first N shuffled records.")] = None,
    knob: Annotated[
        list[str] | None, typer.Option(help="NAME=VALUE of a bundled generator; repeatable.")
    ] = None,
    model: Annotated[
        str | None, typer.Option(help=f"{', '.join(MODELS)}.  [default: what suits the data]")
    ] = None,
    width: Annotated[
        float | None, typer.Option(help="Factor on a convolutional network's channels.")
    ] = None,
    norm: Annotated[
        str | None,
        typer.Option(help="A convolutional network's: batch, group.  [default: batch]"),
    ] = None,
    approach: Annotated[
        str | None, typer.Option(help=f"{', '.join(APPROACHES)}.  [default: l1_unstructured]")
    ] = None,
    sparsity: Annotated[
        float | None, typer.Option(help="Fraction that is removed.  [default: 0.7]")
    ] = None,
    defense: Annotated[
        str | None, typer.Option(help=f"{', '.join(DEFENSES)}.  [default: none]")
    ] = None,
    strength: Annotated[
        float | None, typer.Option(help="The defence's strength.  [default: its own, 4 for ppb]")
    ] = None,
    clip: Annotated[
        float | None, typer.Option(help="DP-SGD: largest norm of a gradient.  [default: 1]")
    ] = None,
    assumed_approach: Annotated[
        str | None,
        typer.Option(help="Pruning that the adversary's shadows get.  [default: the target's]"),
    ] = None,
    assumed_sparsity: Annotated[
        float | None, typer.Option(help="Sparsity of those shadows.  [default: the target's]")
    ] = None,
    sensitivity: Annotated[
        str | None, typer.Option(help="How it is measured: sampled, exact.  [default: sampled]")
    ] = None,
    shadows: Annotated[int | None, typer.Option(help="Shadow models.  [default: 5]")] = None,
    epochs: Annotated[
        int | None, typer.Option(help="Most epochs of training.  [default: the model's own]")
    ] = None,
    fine_tune_epochs: Annotated[
        int | None, typer.Option(help="Most epochs of fine-tuning.  [default: half of training's]")
    ] = None,
    patience: Annotated[
        int | None,
        typer.Option(help="Epochs without improvement before stopping; 0: never.  [default: 5]"),
    ] = None,
    stop_at_member_accuracy: Annotated[
        float | None,
        typer.Option(
            help="Train the original until its members reach this, without early stopping."
        ),
    ] = None,
    attacks: Annotated[
        str | None, typer.Option(help=f"all, or some of {','.join(ATTACKS)}.  [default: all]")
    ] = None,
    models: Annotated[
        str | None, typer.Option(help=f"all, or some of {','.join(MODEL_KINDS)}.  [default: all]")
    ] = None,
    recipe: Annotated[
        str | None, typer.Option(help=f"Attack networks: {', '.join(RECIPES)}.  [default: fast]")
    ] = None,
    seed: Annotated[
        int | None, typer.Option(help="Seed of everything random.  [default: 7]")
    ] = None,
    json: Annotated[Path | None, typer.Option(help="Write the figures to this file.")] = None,
    store: Store = None,
    inline: Annotated[
        bool, typer.Option("--inline", help="Run in this process, without the engine.")
    ] = False,
) -> None:
    """Run an experiment, or take up one that was begun; finished steps are taken from the store."""
    from prunepriv.cli.data import chosen
    from prunepriv.cli.launch import run_and_show

    given = {
        "data": chosen(dataset, label_column, store_folder(store))
        | _some(limit=limit, knobs=_knobs(knob)),
        "model": _some(name=model, width=width, norm=norm),
        "training": _some(
            epochs=epochs,
            fine_tune_epochs=fine_tune_epochs,
            patience=patience,
            stop_at_member_accuracy=stop_at_member_accuracy,
        ),
        "pruning": _some(approach=approach, sparsity=sparsity),
        "defense": _some(name=defense, strength=strength, clip=clip),
        "knowledge": _some(approach=assumed_approach, sparsity=assumed_sparsity),
        "signals": _some(sensitivity=sensitivity),
        "attacks": _some(names=_names(attacks), recipe=recipe),
        **_some(models=_names(models), shadows=shadows, seed=seed),
    }
    settings = _merge(preset_settings(preset) if preset else {}, given)
    if strength is not None and settings["defense"].get("name", "none") == "none":
        raise ExperimentError(
            "--strength is a defence's, and none was chosen: add --defense ppb, or leave it out"
        )
    if clip is not None and settings["defense"].get("name") != "dp_sgd":
        raise ExperimentError(
            "--clip is DP-SGD's, and it was not chosen: add --defense dp_sgd, or leave it out"
        )
    if settings["training"].get("patience") == 0:
        settings["training"]["patience"] = None
    run_and_show(make_experiment(settings), store_folder(store), json, inline)


@app.command()
def cancel(run_id: Run, store: Store = None) -> None:
    """Stop a run. Its finished steps are kept, and `run` takes it up again."""

    Catalog(store_folder(store)).request_cancel(run_id)
    typer.echo(f"{run_id}: told to stop")


def _some(**values: Any) -> dict[str, Any]:
    """The options that were given."""
    return {name: value for name, value in values.items() if value is not None}


def _names(text: str | None) -> list[str] | None:
    return None if text is None else [name.strip() for name in text.split(",")]


def _knobs(pairs: list[str] | None) -> dict[str, float] | None:
    if not pairs:
        return None
    knobs = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        try:
            knobs[name] = float(text)
        except ValueError:
            equals = ""
        if not equals:
            raise ExperimentError(f"--knob takes NAME=VALUE with a number, got {pair!r}")
    return knobs


def _merge(base: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """``base`` with the values of ``changes`` put in, part by part."""
    merged = dict(base)
    for name, value in changes.items():
        merged[name] = _merge(base.get(name, {}), value) if isinstance(value, dict) else value
    return merged
