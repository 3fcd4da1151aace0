"""The runtime family."""
