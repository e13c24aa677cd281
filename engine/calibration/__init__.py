"""Calibrate, freeze, test: fit a decoder to some trials, and measure it on trials never seen."""
