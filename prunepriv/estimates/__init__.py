"""How long runs and sweeps take, and how much of them is done. Imports no torch."""
