"""The http family."""
