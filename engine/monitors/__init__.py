"""What looks at a session now and then, far from the path of a bin."""
