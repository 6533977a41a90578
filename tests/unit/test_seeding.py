"""Seeds by purpose: stable, in range, and independent of each other."""

from __future__ import annotations

import hashlib

import torch
from hypothesis import given
from hypothesis import strategies as st

from prunepriv.seeding import derive


def test_a_seed_never_changes() -> None:
    # published figures depend on it
    assert derive(7, "train", 0, "order") == 5_336_075_980_742_358_568
    assert derive(0) == int(hashlib.sha256(b"0").hexdigest()[:16], 16) // 2


@given(st.integers(0, 2**31), st.text(max_size=9), st.integers(0, 300))
def test_every_generator_takes_it(seed: int, purpose: str, model: int) -> None:
    derived = derive(seed, purpose, model)
    assert 0 <= derived < 2**63
    assert torch.Generator().manual_seed(derived).initial_seed() == derived


def test_every_purpose_has_a_seed_of_its_own() -> None:
    purposes = [
        (seed, stage, model, use)
        for seed in range(20)
        for stage in ("train", "fine_tune")
        for model in range(20)
        for use in ("order", "dropout")
    ]
    assert len({derive(seed, *rest) for seed, *rest in purposes}) == len(purposes)


def test_streams_of_neighboring_purposes_do_not_correlate() -> None:
    draws = torch.stack(
        [
            torch.randn(20_000, generator=torch.Generator().manual_seed(derive(7, "train", m)))
            for m in range(5)
        ]
    )
    assert (torch.corrcoef(draws) - torch.eye(5)).abs().max() < 0.03
