"""The remote procedure call family."""
