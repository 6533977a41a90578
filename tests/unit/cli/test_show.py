"""``list`` and ``show``."""

from __future__ import annotations

from prunepriv.environment import store_folder
from prunepriv.store.catalog import Catalog
from tests.unit.cli.conftest import SMALL, Cli


def test_a_run_is_listed_and_shown(cli: Cli) -> None:
    cli("run", "--inline", *SMALL)
    run_id = Catalog(store_folder()).runs()[0].run_id
    assert run_id in cli("list").out
    shown = cli("show", run_id).out
    assert "Conf" in shown
    assert "fit:conf:pruned" in shown
    assert "1,234" in shown
    assert "They share none." in shown


def test_an_empty_store_says_what_to_do(cli: Cli) -> None:
    assert "no runs in" in cli("list").out
