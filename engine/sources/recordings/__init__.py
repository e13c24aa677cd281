"""Recordings: their files and readers, their bins and trials, and what is selected of them."""
