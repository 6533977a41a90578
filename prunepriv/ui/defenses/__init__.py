"""The Defences page: the pruned model without and with its defence, side by side."""
