"""Remora: zero-code telemetry for Python services. Only the version is here, because every boot imports it."""

__version__ = "0.1.0"
