"""The Sweeps page: pick one, watch it fill, read it, launch a new one."""
