"""All of Redis: keys, scripts, and one module a collection."""
