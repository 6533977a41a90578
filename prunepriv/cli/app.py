"""The commands, and how errors are shown: one sentence on stderr, exit code 2, no traceback."""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from pydantic import ValidationError

from prunepriv.environment import SCHEDULER, scheduler, store_folder
from prunepriv.errors import Cancelled, ExperimentError, PruneprivError
from prunepriv.version import __version__

MISTAKE = 2
INTERRUPTED = 130

app = typer.Typer(
    name="prunepriv",
    help="Membership leakage in pruned neural networks: train, prune, attack, defend, compare.",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)

Store = Annotated[
    Path | None,
    typer.Option(
        "--store", help="Folder of the store; else PRUNEPRIV_STORE, else your own folder."
    ),
]
Scheduler = Annotated[
    str | None,
    typer.Option(
        "--scheduler",
        metavar="ADDRESS",
        help="A Dask scheduler, tcp://HOST:PORT, whose workers do the steps; else "
        "PRUNEPRIV_SCHEDULER, else workers on this machine.",
    ),
]
Run = Annotated[str, typer.Argument(metavar="RUN", help="The run's id, as `list` shows it.")]


def _tell_version(asked: bool) -> None:
    if asked:
        typer.echo(f"prunepriv {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_tell_version, is_eager=True, help="Print the version."),
    ] = False,
) -> None:
    """Options of the program itself, before a command."""


def main() -> NoReturn:
    """Run a command and exit."""
    try:
        code = app(standalone_mode=False)
    except typer.TyperException as error:
        _tell(_what_came(error) or error.format_message())
        code = MISTAKE
    except Cancelled as error:
        _tell(str(error))
        code = INTERRUPTED
    except PruneprivError as error:
        _tell(str(error))
        code = MISTAKE
    except (KeyboardInterrupt, typer.Abort):
        code = INTERRUPTED
    except BrokenPipeError:
        code = 0  # `prunepriv list | head`
    sys.exit(code)


def _what_came(error: typer.TyperException) -> str:
    """For an option that cannot be read: its name, the rule and the given value; else ""."""
    cause, option = error.__cause__, getattr(error, "param", None)
    if not isinstance(cause, ValidationError) or option is None:
        return ""
    found = cause.errors()[0]
    rule = found["msg"].partition(", unable")[0].replace("Input should be", "must be")
    return f"{option.opts[0]} {rule}, got {found['input']!r}"


def _tell(sentence: str) -> None:
    print(sentence, file=sys.stderr)  # noqa: T201


@app.command()
def engine(
    store: Store = None,
    workers: Annotated[
        int | None,
        typer.Option(min=1, max=256, help="Worker processes; by default one per core, up to 4."),
    ] = None,
    scheduler_address: Scheduler = None,
    idle_timeout: Annotated[
        float, typer.Option(min=0.0, help="Seconds without work after which the engine ends.")
    ] = 900.0,
    runner: Annotated[str, typer.Option(hidden=True)] = "",
) -> None:
    """Work on the runs of the store until none is left. `run` and the dashboard start it."""
    from prunepriv.engine.process import run_engine
    from prunepriv.engine.runner import RUN_GROUP

    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(process)d %(levelname)s %(message)s"
    )
    address = scheduler_address or scheduler()
    run_engine(store_folder(store), workers, address, idle_timeout, runner or RUN_GROUP)


def use_scheduler(address: str | None, inline: bool) -> None:
    """Make an engine that this process starts use a scheduler.

    Raises:
        ExperimentError: an inline run has no workers.
    """
    if address is None:
        return
    if inline:
        raise ExperimentError(
            f"--inline runs in this process, and --scheduler names workers elsewhere ({address}): "
            "leave one of them out"
        )
    os.environ[SCHEDULER] = address  # the engine inherits it, also when it is restarted
