"""The table of pruning approaches."""

from __future__ import annotations

from collections.abc import Mapping

from prunepriv.options.option import ApproachOption, table

APPROACHES: Mapping[str, ApproachOption] = table(
    ApproachOption(
        name="l1_unstructured",
        label="L1 unstructured",
        summary="Removes the weights of smallest magnitude in every layer.",
        source="Han et al. 2016",
        needs=frozenset({"linear", "conv"}),
    ),
    ApproachOption(
        name="l1_structured",
        label="L1 structured",
        summary="Removes the convolution filters of smallest L1 norm in every layer.",
        source="Li et al. 2017",
        needs=frozenset({"conv"}),
    ),
    ApproachOption(
        name="l2_structured",
        label="L2 structured",
        summary="Removes the convolution filters of smallest L2 norm in every layer.",
        source="Li et al. 2017",
        needs=frozenset({"conv"}),
    ),
    ApproachOption(
        name="network_slimming",
        label="Network slimming",
        summary="Removes the channels of smallest batch-norm scale across the whole network.",
        source="Liu et al. 2017",
        needs=frozenset({"batch_norm"}),
    ),
)
