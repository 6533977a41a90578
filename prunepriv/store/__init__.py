"""Content-addressed artifacts, the catalogue of runs, and typed reading of both."""
