"""Bytes to elsewhere: compressing, splitting, retrying and sending whole OTLP requests, whatever they tell."""
