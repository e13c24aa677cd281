"""Records: what a session sent, written down as it goes, and read back as facts or as a recording."""
