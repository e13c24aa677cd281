"""Simulated electrodes: voltages at 30 kHz, and the truth of every spike in them."""
