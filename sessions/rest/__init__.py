"""What clients ask over HTTP: the table of calls, what they take and answer, and what serves them."""
