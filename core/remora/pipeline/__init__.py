"""Waiting and batching: between the span that ended and the bytes that leave."""
