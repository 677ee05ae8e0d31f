"""The `finestra` command: one file a group of commands."""
