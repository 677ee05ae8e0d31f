"""One HTTP call to a machine that is not ours: its end, its connection, which addresses it may reach."""
