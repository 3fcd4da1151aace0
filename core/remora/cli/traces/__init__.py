"""Traces for people: spans put together as trees, and the words, lines and JSON to show them with."""
