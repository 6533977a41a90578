"""What runs and sweeps cost, and how far they are. Imports no torch."""
