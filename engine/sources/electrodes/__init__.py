"""Electrodes: voltages at 30 kHz, simulated or recorded, and the truth of the spikes in them."""
