"""Programs that make spans and end in every way a process can end."""

from __future__ import annotations

import textwrap

SPANS = """
import os, sys, time
from opentelemetry import trace
tracer = trace.get_tracer("program")
def work(count=20, name="work"):
    for number in range(count):
        with tracer.start_as_current_span(name) as span:
            span.set_attribute("number", number)
"""


def program(text: str) -> str:
    """A program that may call ``work(count, name)``."""
    return SPANS + textwrap.dedent(text)
