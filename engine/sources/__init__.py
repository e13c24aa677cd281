"""What makes bins."""
