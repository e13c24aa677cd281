"""What plays: the state of a session, and the thread that acts on it."""
