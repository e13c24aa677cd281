"""The start page: recordings, sessions and records."""
