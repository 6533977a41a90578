"""The tables of attacks and of the recipes for training attack networks."""

from __future__ import annotations

from collections.abc import Mapping

from prunepriv.options.option import AttackOption, RecipeOption, table

ATTACKS: Mapping[str, AttackOption] = table(
    AttackOption(
        name="corr",
        label="Corr",
        summary="Calls a record a member if the model classifies it correctly.",
        source="Yeom et al. 2018; Leino & Fredrikson 2020",
        kind="threshold",
        score="1 if argmax p = y, else 0",
        needs="The predicted label.",
    ),
    AttackOption(
        name="conf",
        label="Conf",
        summary="Confidence in the true label, one threshold per class.",
        source="Yeom et al. 2018; Song & Mittal 2021",
        kind="threshold",
        score="p_y",
        needs="The posterior of the true label.",
    ),
    AttackOption(
        name="entr",
        label="Entr",
        summary="Entropy of the posteriors, one threshold per class.",
        source="Shokri et al. 2017; Song & Mittal 2021",
        kind="threshold",
        score="sum_k p_k log p_k",
        needs="All posteriors, and the true label to choose the threshold.",
    ),
    AttackOption(
        name="mentr",
        label="Mentr",
        summary="Entropy modified to use the true label, one threshold per class.",
        source="Song & Mittal 2021",
        kind="threshold",
        score="(1 - p_y) log p_y + sum_{k != y} p_k log(1 - p_k)",
        needs="All posteriors and the true label.",
    ),
    AttackOption(
        name="top1_conf",
        label="Top1-conf",
        summary="Largest posterior, one threshold for all classes.",
        source="Salem et al. 2019",
        kind="threshold",
        score="max_k p_k",
        needs="The largest posterior.",
    ),
    AttackOption(
        name="nn",
        label="NN",
        summary="A network trained on the posteriors.",
        source="Shokri et al. 2017",
        kind="network",
        score="h(p)",
        needs="All posteriors.",
    ),
    AttackOption(
        name="top3_nn",
        label="Top3-NN",
        summary="A network trained on the three largest posteriors.",
        source="Salem et al. 2019",
        kind="network",
        score="h(three largest of p)",
        needs="The three largest posteriors.",
    ),
    AttackOption(
        name="cls_nn",
        label="Cls-NN",
        summary="A network trained on the posteriors and the true label.",
        source="Nasr et al. 2018",
        kind="network",
        score="h(p, one-hot y)",
        needs="All posteriors and the true label.",
    ),
    AttackOption(
        name="samia",
        label="SAMIA",
        summary="Self-attention over classes: posterior, prediction sensitivity and true label.",
        source="Yuan & Zhang 2022",
        kind="network",
        score="h(p, s, one-hot y)",
        needs="All posteriors, the true label, and ten more queries per record.",
        sensitivity=True,
    ),
    AttackOption(
        name="lira",
        label="LiRA",
        summary="Likelihood ratio: how much more confident the model is on the record than models that never saw it.",
        source="Carlini et al. 2022",
        kind="reference",
        score="log Phi((phi - mean phi_out) / s), phi = log(p_y / (1 - p_y))",
        needs="The posterior of the true label, and the records to attack in advance.",
    ),
    AttackOption(
        name="rmia",
        label="RMIA",
        summary="How often the record's likelihood ratio is larger than that of other records of the population.",
        source="Zarifzadeh et al. 2024",
        kind="reference",
        score="Pr_z[(p_y / p(x)) / (p_z / p(z)) >= 2]",
        needs="The posterior of the true label, the records to attack in advance, and queries on a population.",
    ),
    AttackOption(
        name="base",
        label="BASE",
        summary="How much larger the posterior is than the mean over models that never saw the record.",
        source="Lassila et al. 2025",
        kind="reference",
        score="log p_y - log mean p_y,out",
        needs="The posterior of the true label, and the records to attack in advance.",
    ),
)

RECIPES: Mapping[str, RecipeOption] = table(
    RecipeOption(
        name="fast",
        label="Fast",
        summary="Few epochs of Adam with a one-cycle learning rate; the best epoch on held-out shadow records is kept.",
    ),
    RecipeOption(
        name="paper",
        label="Paper",
        summary="100 epochs of SGD with momentum, learning rate divided by ten at epochs 50 and 75.",
        source="Yuan & Zhang 2022",
    ),
)
