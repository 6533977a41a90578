"""Seeds that follow from what they are for.

Every random stream gets a seed of its own, derived from the experiment's seed and the stream's
name, so that streams are independent and adding one moves no other.
"""

from __future__ import annotations

import hashlib


def derive(seed: int, *purpose: str | int) -> int:
    """A 63-bit seed for a purpose, ``derive(7, "train", 0, "order")`` for example."""
    text = "/".join(str(part) for part in (seed, *purpose))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1
