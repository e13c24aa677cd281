"""Voltages -> spikes found, their waveforms, and features per bin."""
