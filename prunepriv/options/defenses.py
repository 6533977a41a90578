"""The table of defences."""

from __future__ import annotations

from collections.abc import Mapping

from prunepriv.options.option import DefenseOption, table

DEFENSES: Mapping[str, DefenseOption] = table(
    DefenseOption(
        name="none",
        label="None",
        summary="Early stopping only.",
        source="Song & Mittal 2021",
    ),
    DefenseOption(
        name="ppb",
        label="PPB",
        summary="Pair-based posterior balancing: makes the posteriors of paired records similar.",
        source="Yuan & Zhang 2022",
        strength="Weight \u03bb",
        default_strength=4.0,
        low=0.0,
        high=64.0,
    ),
    DefenseOption(
        name="adversarial",
        label="Adversarial",
        summary="Adversarial regularisation: trains the model against an attack network that learns at the same time.",
        source="Nasr et al. 2018",
        strength="Weight \u03bb",
        default_strength=6.0,
        low=0.0,
        high=64.0,
    ),
    DefenseOption(
        name="dp_sgd",
        label="DP-SGD",
        summary="Fine-tunes under differential privacy: clips every record's gradient and adds noise.",
        source="Abadi et al. 2016",
        strength="Noise multiplier \u03c3",
        default_strength=1.0,
        low=0.0,
        high=64.0,
        step=0.1,
        alone=True,
    ),
    DefenseOption(
        name="label_smoothing",
        label="Label smoothing",
        summary="Trains on labels that give a share of the probability to the other classes.",
        source="Szegedy et al. 2016",
        strength="Smoothing",
        default_strength=0.1,
        low=0.0,
        high=0.9,
        step=0.05,
    ),
)
