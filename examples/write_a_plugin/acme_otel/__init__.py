"""Telemetry for the Acme client."""
