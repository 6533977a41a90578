"""The Attacks page: which attack works, how well, and what its threshold does."""
