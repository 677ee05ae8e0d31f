"""HTTP in: the public door for providers and the internal door for apps. No business rule lives here."""
