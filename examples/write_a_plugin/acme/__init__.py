"""A small client library that knows nothing of telemetry."""
