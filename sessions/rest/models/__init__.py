"""Models of what the REST calls answer, by subject."""
