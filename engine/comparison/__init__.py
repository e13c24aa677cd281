"""Decoders compared in closed loop: runs without socket or thread, and a table of what they are worth."""
