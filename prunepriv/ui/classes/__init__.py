"""The Classes page: who pays for pruning."""
