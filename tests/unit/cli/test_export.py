"""``export``."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema

from prunepriv.environment import store_folder
from prunepriv.store.catalog import Catalog
from tests.unit.cli.conftest import SMALL, Cli

ROOT = Path(__file__).resolve().parents[3]
SCHEMA = json.loads((ROOT / "assets" / "run.schema.json").read_text())


def test_a_finished_run_is_exported(cli: Cli, tmp_path: Path) -> None:
    cli("run", "--inline", *SMALL)
    run_id = Catalog(store_folder()).runs()[0].run_id
    done = cli(
        "export", run_id, "--json", str(tmp_path / "out.json"), "--csv", str(tmp_path / "csv"),
        "--signals", str(tmp_path / "signals"),
    )  # fmt: skip
    assert done.code == 0, done.err
    assert [Path(line).name for line in done.out.split()] == [
        "out.json", "models.csv", "gaps.csv", "attacks.csv", "checks.csv", "steps.csv", "run.json",
        "signals_pruned.parquet",
    ]  # fmt: skip
    jsonschema.validate(json.loads((tmp_path / "out.json").read_text()), SCHEMA)
