"""What each step of a plan does, in a worker: imports torch."""
