"""Messaging: producers, consumers and task queues."""
