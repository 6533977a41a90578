"""A finished run whose models turn out to have learnt nothing."""

from __future__ import annotations

import shutil
from typing import Any

from prunepriv import checks
from prunepriv.checks import Learning
from prunepriv.store.result import Result

BLANK = Learning(correct=9, records=90, chance=0.1)
SENTENCE = "A low attack accuracy is not safety here"


def learn_nothing(result: Result) -> str:
    """Rewrite a run's stored checks so that this one failed; return its detail."""
    found = checks.models_learned({"pruned": BLANK}, {"pruned": [BLANK]}).to_dict()
    rows = result.checks()
    assert rows is not None
    store_checks(result, [*(row for row in rows if row["check"] != found["check"]), found])
    return str(found["detail"])


def store_checks(result: Result, rows: list[dict[str, Any]]) -> None:
    """Replace the stored checks of a run."""
    key = result.plan.key("checks")
    shutil.rmtree(result.store.path(key))
    with result.store.write(key, {"kind": "checks"}) as draft:
        draft.json("checks", rows)
