"""The table of models."""

from __future__ import annotations

from collections.abc import Mapping

from prunepriv.options.option import ModelOption, table

MODELS: Mapping[str, ModelOption] = table(
    ModelOption(
        name="fc",
        label="FC",
        summary="Fully connected, hidden layers of 256 and 128, ReLU, dropout 0.1.",
        source="Yuan & Zhang 2022",
        serves="tabular",
        layers=frozenset({"linear"}),
        epochs=50,
        private=True,
        stacked=4,
    ),
    ModelOption(
        name="cnn",
        label="Small CNN",
        summary="Three convolutions with batch norm, for pictures of 8x8 to 32x32 pixels.",
        serves="image",
        layers=frozenset({"linear", "conv", "batch_norm"}),
        epochs=30,
        private=True,
    ),
    ModelOption(
        name="resnet18",
        label="ResNet18",
        summary="Residual network of 18 layers, its first convolution 3x3 for small pictures.",
        source="He et al. 2016",
        serves="image",
        layers=frozenset({"linear", "conv", "batch_norm"}),
        epochs=100,
    ),
    ModelOption(
        name="vgg16",
        label="VGG16",
        summary="13 convolutions with batch norm, one after the other, then one linear layer.",
        source="Simonyan & Zisserman 2015",
        serves="image",
        layers=frozenset({"linear", "conv", "batch_norm"}),
        epochs=100,
    ),
    ModelOption(
        name="densenet121",
        label="DenseNet121",
        summary="121 layers; each reads the outputs of all earlier layers of its block; growth rate 32.",
        source="Huang et al. 2017",
        serves="image",
        layers=frozenset({"linear", "conv", "batch_norm"}),
        epochs=100,
    ),
)
