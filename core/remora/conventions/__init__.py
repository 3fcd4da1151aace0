"""What a call means: the only room that spells attribute keys; plugins fill records, it makes telemetry of them."""
