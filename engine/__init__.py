"""The replay engine: numpy and threads. It knows no web and no GUI."""
