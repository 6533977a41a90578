"""The Overview page: three headline figures, and the pipeline as six cards."""
