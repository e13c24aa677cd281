"""Records: what a session sent, written down as it goes, and read back as header or as a recording."""
