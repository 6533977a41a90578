"""Figures: pure functions from arrays or a Result to a plotly Figure and the table it draws.

The only package that imports plotly. Every function returns ``(figure, table)``, where the table
holds exactly the numbers that are plotted, in long form, ready for "Show data" and CSV.
"""
