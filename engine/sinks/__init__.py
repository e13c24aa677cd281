"""Who gets bins: each sink with its own cursor into the ring, its own thread, its own failure."""
