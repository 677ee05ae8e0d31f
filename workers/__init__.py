"""Work out: claim, decide, act, record."""
