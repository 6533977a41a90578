"""Two stores of the same runs, artifact by artifact: whether keys and contents are the same."""

from __future__ import annotations

import json
from pathlib import Path


def compare(before: Path, after: Path) -> bool:
    """Print how many artifacts and files are the same; each difference on its own line.

    Args:
        before, after: folders of stores.

    Returns:
        Whether both hold the same keys, and the same bytes under each key, except for the seconds
        that each step took.
    """
    old, new = (_contents(store) for store in (before, after))
    differences = [f"only in {before}: {key}" for key in sorted(old.keys() - new.keys())]
    differences += [f"only in {after}: {key}" for key in sorted(new.keys() - old.keys())]
    for key in sorted(old.keys() & new.keys()):
        names = old[key].keys() | new[key].keys()
        differences += [
            f"{key[:12]}/{name}"
            for name in sorted(names)
            if old[key].get(name) != new[key].get(name)
        ]
    for line in differences:
        print(line)
    files = sum(len(names) for names in new.values())
    kinds = sum(name.endswith(".safetensors") for names in new.values() for name in names)
    print(
        f"{len(new)} artifacts with {files} files ({kinds} of tensors), "
        f"{len(differences)} differences"
    )
    return not differences


def _contents(store: Path) -> dict[str, dict[str, object]]:
    """By key: size and SHA-256 of every file, and what the artifact was made from."""
    found = {}
    for file in store.glob("artifacts/*/*/meta.json"):
        meta = json.loads(file.read_text())
        made_from = {name: meta.get(name) for name in ("step", "kind", "params", "inputs")}
        found[file.parent.name] = {**meta["files"], "meta": made_from}
    return found
