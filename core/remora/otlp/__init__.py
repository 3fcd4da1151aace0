"""Telemetry records to OTLP protobuf bytes and back, by hand: no protobuf library at run time."""
