"""The Classes page: which classes leak more than others, and how pruning changes that."""
