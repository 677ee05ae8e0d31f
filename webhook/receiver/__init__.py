"""The public door: verify, parse, record in one step, answer."""
