"""The Run page: the form of a new run, its launch, and the selected run."""
