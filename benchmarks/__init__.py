"""Measurements, each beside a yardstick of the same machine in the same run.

``python -m benchmarks`` prints the speed table, ``python -m benchmarks location`` the attack
figures on Location over five seeds, ``python -m benchmarks recipes`` the two recipes side by side,
``python -m benchmarks images`` how fast each network trains on each data set.
"""
