"""Measurements of figures and speed; a speed table also gives the speed of the machine itself.

``python -m benchmarks`` prints the speed table, ``python -m benchmarks location`` the attack
figures on Location over five seeds, ``python -m benchmarks recipes`` the two recipes side by side,
``python -m benchmarks defenses`` every defence on Location, ``python -m benchmarks images`` how
fast each network trains on each data set. ``python -m benchmarks stores`` compares two stores.

``python -m benchmarks table`` prints the speed goals in yardsticks, ``trace`` draws a finished run,
``scaling`` fits how times grow, ``purchase`` measures memory, ``simulate`` replays a sweep on many
workers.
"""
