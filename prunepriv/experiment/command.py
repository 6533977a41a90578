"""The command line that runs an experiment: printed beside every figure, so that it can be made again."""

from __future__ import annotations

import shlex

from prunepriv.experiment import Experiment, make_experiment


def command_line(experiment: Experiment) -> str:
    """What to type; options that follow from the others, or have their default, are left out."""
    words = ["python", "-m", "prunepriv", "run"]
    for option, value in _options(experiment):
        words += [option, str(value)]
    return shlex.join(words)


def _options(experiment: Experiment) -> list[tuple[str, object]]:
    data, model, training = experiment.data, experiment.model, experiment.training
    defense, knowledge = experiment.defense, experiment.knowledge
    known = {"name": data.name, "own": data.own}
    plain = make_experiment({"data": known, "model": {"name": model.name}})
    halved = max(1, training.epochs // 2)
    chosen: list[tuple[str, object, bool]] = [
        ("--dataset", data.name if data.own is None else data.own.handle, True),
        ("--limit", data.limit, data.limit is not None),
        *(("--knob", f"{name}={value:g}", value != plain.data.knobs[name]) for name, value in data.knobs.items()),
        ("--model", model.name, True),
        ("--width", f"{model.width:g}", model.width != 1.0),
        ("--norm", model.norm, model.norm != "batch"),
        ("--approach", experiment.pruning.approach, True),
        ("--sparsity", f"{experiment.pruning.sparsity:g}", True),
        ("--defense", defense.name, True),
        ("--strength", f"{defense.strength:g}", defense.name != "none"),
        ("--clip", f"{defense.clip:g}", defense.name == "dp_sgd" and defense.clip != 1.0),
        ("--assumed-approach", knowledge.approach, knowledge.approach is not None),
        ("--assumed-sparsity", knowledge.sparsity, knowledge.sparsity is not None),
        ("--sensitivity", experiment.signals.sensitivity, experiment.signals.sensitivity != "sampled"),
        ("--shadows", experiment.shadows, True),
        ("--epochs", training.epochs, True),
        ("--fine-tune-epochs", training.fine_tune_epochs, training.fine_tune_epochs != halved),
        ("--patience", training.patience or 0, training.patience != plain.training.patience),
        ("--stop-at-member-accuracy", training.stop_at_member_accuracy, training.stop_at_member_accuracy is not None),
        ("--attacks", ",".join(experiment.attacks.names), experiment.attacks.names != plain.attacks.names),
        ("--models", ",".join(experiment.models), True),
        ("--recipe", experiment.attacks.recipe, True),
        ("--seed", experiment.seed, True),
    ]  # fmt: skip
    return [(option, value) for option, value, needed in chosen if needed]
