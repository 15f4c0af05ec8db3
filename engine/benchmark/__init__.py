"""Our methods against those of others: the same splits, filter, tie rule and metrics for all."""
