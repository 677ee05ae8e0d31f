"""The rules, pure: standard library only, no clock, no chance, no Redis, no HTTP, no logging."""
