"""The Leakage page: Figure 1 of the paper with the control, and the records of each bar."""
