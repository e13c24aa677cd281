"""Brokers, where bins go out and predictions come in: what both directions share."""
