"""The Sweeps page: choose a sweep, follow its progress, read its results, launch a new one."""
