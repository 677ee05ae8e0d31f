"""What the doors and the workers have in common: settings, rules, stores and providers."""
