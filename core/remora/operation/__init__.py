"""Running one call: what is measured, what is suppressed, what travels along."""
