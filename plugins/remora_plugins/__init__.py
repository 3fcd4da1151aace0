"""Remora's own plugins, one family per folder; they enter by the same door as everybody else's."""
