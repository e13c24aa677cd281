"""The wall: all sessions in a grid, and what is done to all of them at once."""
