"""``run`` and ``cancel``: start or resume a run, and stop it."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from prunepriv.cli.app import Run, Scheduler, Store, app, use_scheduler
from prunepriv.environment import store_folder
from prunepriv.errors import ExperimentError
from prunepriv.experiment import make_experiment
from prunepriv.experiment.command import text
from prunepriv.experiment.presets import get_preset
from prunepriv.experiment.seeds import read_seeds, under_seeds
from prunepriv.experiment.settings import SETTINGS, Setting, refuse_unused, with_value
from prunepriv.store.catalog import Catalog


def run(
    preset: Annotated[
        str | None, typer.Option(help="Start from a named preset; other options change it.")
    ] = None,
    label_column: Annotated[
        str | None,
        typer.Option(help="The label's column in your own file.", show_default="label"),
    ] = None,
    seeds: Annotated[
        str | None,
        typer.Option(
            metavar="SEED,SEED",
            help="Run the experiment under each of these seeds, and tell the mean of the differences.",
        ),
    ] = None,
    json: Annotated[Path | None, typer.Option(help="Write the figures to this file.")] = None,
    store: Store = None,
    inline: Annotated[
        bool, typer.Option("--inline", help="Run in this process, without the engine.")
    ] = False,
    scheduler: Scheduler = None,
    **options: Any,
) -> None:
    """Run an experiment, or resume it; finished steps are taken from the store."""
    from prunepriv.cli.data import chosen
    from prunepriv.cli.launch import run_and_show, run_seeds_and_show

    use_scheduler(scheduler, inline)
    folder = store_folder(store)
    settings = get_preset(preset).copy() if preset else {}
    data = chosen(options.pop("dataset"), label_column, folder)
    settings["data"] = {**settings.get("data", {}), **data}
    given = {}
    for setting in SETTINGS:
        value = options.get(setting.name)
        if value not in (None, []):
            with_value(settings, setting.path, _read(setting, value))
            given[setting.path] = setting.option
    refuse_unused(settings, given)
    if seeds is None:
        run_and_show(make_experiment(settings), folder, json, inline)
        return
    if "seed" in given:
        raise ExperimentError("--seed and --seeds exclude each other: leave one out")
    experiments = under_seeds(make_experiment(settings), read_seeds(seeds, least=2))
    run_seeds_and_show(experiments, folder, json, inline)


@app.command()
def cancel(run_id: Run, store: Store = None) -> None:
    """Stop a run. Its finished steps are kept, and `run` resumes it."""

    Catalog(store_folder(store)).request_cancel(run_id)
    typer.echo(f"{run_id}: told to stop")


def _read(setting: Setting, value: Any) -> Any:
    """The value of an option, in the form that the experiment needs."""
    if setting.path == "data.knobs":
        return _knobs(value)
    if setting.many:
        return [name.strip() for name in value.split(",")]
    return None if setting.zero and value == 0 else value


def _knobs(pairs: list[str]) -> dict[str, float]:
    knobs = {}
    for pair in pairs:
        name, equals, number = pair.partition("=")
        try:
            knobs[name] = float(number)
        except ValueError:
            equals = ""
        if not equals:
            raise ExperimentError(f"--knob takes NAME=VALUE with a number, got {pair!r}")
    return knobs


# --- the options, one for each setting ---


def _option(setting: Setting) -> inspect.Parameter:
    """The parameter of ``run`` that sets one field of the experiment."""
    annotation = {"int": int, "float": float, "dict": list[str]}.get(setting.kind, str)
    metavar = {"data.name": "NAME|PATH", "data.knobs": "NAME=VALUE"}.get(setting.path)
    default = setting.otherwise or _default(setting)
    option = typer.Option(
        setting.option, help=_help(setting), metavar=metavar, show_default=default or False
    )
    return inspect.Parameter(
        setting.name,
        inspect.Parameter.KEYWORD_ONLY,
        default=None,
        annotation=Annotated[annotation | None, option],
    )


def _help(setting: Setting) -> str:
    """What a setting means, its values, and what 0 means."""
    words = [setting.help]
    if setting.choices:
        words.append(
            f"{'All, or some' if setting.many else 'One'} of {', '.join(setting.choices)}."
        )
    if setting.path == "data.name":
        words.append("Or your own file or folder (see `data`), or own:DIGEST.")
    if setting.zero:
        words.append(f"0: {setting.zero}.")
    return " ".join(words)


def _default(setting: Setting) -> str:
    return "" if setting.default in (None, {}) else text(setting.default)


def _with_options(command: Callable[..., None]) -> Callable[..., None]:
    """The command, with one option per setting in place of ``**options``."""
    own = list(inspect.signature(command, eval_str=True).parameters.values())[:-1]
    ours = [_option(setting) for setting in SETTINGS]
    keyword = [one.replace(kind=inspect.Parameter.KEYWORD_ONLY) for one in own]
    parameters = [keyword[0], *ours[:1], keyword[1], *ours[1:], *keyword[2:]]
    command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    command.__annotations__ = {one.name: one.annotation for one in parameters}
    return command


app.command()(_with_options(run))
