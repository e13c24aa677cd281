"""The live page of a session: one Panel application."""
