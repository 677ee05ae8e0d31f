"""Figures, each a ratio within one run: machines are shared and noisy, ratios hold."""
