"""Membership inference attacks."""

from __future__ import annotations

from collections.abc import Mapping

from prunepriv.attacks.base import (
    Attack,
    FitSettings,
    Fitted,
    PooledShadows,
    Queries,
    ReferenceAttack,
)
from prunepriv.attacks.compared import Compared, ReferenceQueries, ReferenceShadows
from prunepriv.attacks.neural import NN, ClsNN, Top3NN
from prunepriv.attacks.reference import Base, Lira, Rmia
from prunepriv.attacks.samia import Samia
from prunepriv.attacks.threshold import Conf, Corr, Entr, Mentr, Top1Conf
from prunepriv.options import ATTACKS, lookup

REGISTRY: Mapping[str, Attack | ReferenceAttack] = {
    "corr": Corr(),
    "conf": Conf(),
    "entr": Entr(),
    "mentr": Mentr(),
    "top1_conf": Top1Conf(),
    "nn": NN(),
    "top3_nn": Top3NN(),
    "cls_nn": ClsNN(),
    "samia": Samia(),
    "lira": Lira(),
    "rmia": Rmia(),
    "base": Base(),
}


def get_attack(name: str) -> Attack | ReferenceAttack:
    """The attack of that name.

    Raises:
        UnknownNameError: no such attack.
    """
    return REGISTRY[lookup(ATTACKS, name, "attack").name]


__all__ = [
    "REGISTRY",
    "Attack",
    "Compared",
    "FitSettings",
    "Fitted",
    "PooledShadows",
    "Queries",
    "ReferenceAttack",
    "ReferenceQueries",
    "ReferenceShadows",
    "get_attack",
]
