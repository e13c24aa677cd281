"""What is found at simulated electrodes: of a whole recording at once, and of an intention."""
