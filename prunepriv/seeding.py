"""Seeds that are derived from their purpose.

Every random stream gets its own seed, derived from the experiment's seed and the stream's name, so
that streams are independent and a new stream changes no other.
"""

from __future__ import annotations

import hashlib


def derive(seed: int, *purpose: str | int) -> int:
    """A 63-bit seed for a purpose, ``derive(7, "train", 0, "order")`` for example."""
    text = "/".join(str(part) for part in (seed, *purpose))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1
