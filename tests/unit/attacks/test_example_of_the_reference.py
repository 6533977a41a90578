"""The example attack of the reference, tested with the contract of all attacks."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.documents import REFERENCE, ROOT, section

SECTION = section(REFERENCE.read_text(), "A new attack")
ENTERED = """
from prunepriv.attacks import REGISTRY
from prunepriv.options import ATTACKS, AttackOption

REGISTRY.update({{ {entry} }})
ATTACKS.update({{option.name: option for option in [{option}]}})
"""
"""Adds the two entries without a change to the files that hold the tables."""
CONTRACT = ("tests/unit/attacks/test_registry.py", "tests/unit/test_options.py")
OTHER = "top1_conf"
"""An attack of the same kind, for the number of tests."""


def test_its_parts_are_where_the_reference_says() -> None:
    for file, words in (
        ("prunepriv/attacks/__init__.py", "REGISTRY: "),
        ("prunepriv/options/attacks.py", "ATTACKS: "),
    ):
        assert f"`{file}`" in SECTION
        assert words in (ROOT / file).read_text()


def test_it_meets_the_contract_of_all_attacks(tmp_path: Path) -> None:
    module, entry, option = re.findall(r"```python\n(.*?)```", SECTION, re.DOTALL)
    (tmp_path / "documented_attack.py").write_text(
        module + ENTERED.format(entry=entry, option=option)
    )
    chosen = f"margin or {OTHER} or registry_is or attack_says or references"
    plugins = ("-p", "documented_attack", "-p", "no:cacheprovider")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-v", *plugins, *CONTRACT, "-k", chosen],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    passed = re.findall(r"::(\w+)(\S*) PASSED", done.stdout)
    names = {name for name, _ in passed}
    assert "test_the_registry_is_the_options_table" in names
    assert "test_every_attack_says_what_it_needs" in names
    mine = [name + case.replace("margin", OTHER) for name, case in passed if "margin" in case]
    assert mine, "its own tests must have run"
    assert sorted(mine) == sorted(name + case for name, case in passed if OTHER in case)
