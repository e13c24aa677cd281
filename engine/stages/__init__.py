"""Rows -> rows: what changes bins on their way."""
