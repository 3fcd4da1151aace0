"""The hall: records of telemetry, and the only room that imports opentelemetry."""
