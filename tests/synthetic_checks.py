"""The checks of a synthetic run that random numbers allow; the models cannot be scored again."""

from __future__ import annotations

import numpy as np

from prunepriv import checks
from prunepriv.checks import Check
from prunepriv.pipeline.checks import Inputs, learning, mask_counts, misaligned, of_kind, splits_of
from prunepriv.plan import TARGET, Step, read_name
from prunepriv.store.result import Result


def checks_of(step: Step, result: Result) -> list[Check]:
    """What the step `checks` finds in the artifacts that it reads."""
    inputs = {name: result.store.open(key) for name, key in step.inputs.items()}
    splits = splits_of(inputs)
    pruning = result.experiment.pruning.model_dump(mode="json")
    fits = sum(read_name(name).kind == "fit" for name in inputs)
    return [
        checks.splits_disjoint(list(splits.values())),
        checks.eval_mode(_scored_again(inputs)),
        checks.thresholds_from_shadows(fits, [], {}),
        checks.masks_exact(mask_counts(inputs)),
        checks.membership_aligned(*misaligned(inputs, splits)),
        checks.models_learned(*learning(inputs)),
        checks.adversary_knowledge(pruning, None),
        checks.attacks_not_run(step.params["attacks"]),
    ]


def _scored_again(inputs: Inputs) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Some of each target's logits, and almost the same again."""
    found = {}
    for name, artifact in of_kind(inputs, "signals"):
        if name.number == TARGET:
            logits = artifact.tensors("signals")["logits"][: checks.SCORED_AGAIN]
            found[name.source] = logits, logits * np.float32(1 + 1e-6)
    return found
