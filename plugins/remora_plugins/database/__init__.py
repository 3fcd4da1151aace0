"""The database family."""
