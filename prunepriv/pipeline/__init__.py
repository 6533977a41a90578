"""What each step of a plan does in a worker. Imports torch."""
