"""Tells Schemathesis how to send records, which are text in several formats."""

import schemathesis


@schemathesis.serializer("application/x-ndjson", "text/csv")
def as_text(_context, value):
    """Sends a generated record without encoding it."""
    if isinstance(value, bytes):
        return value
    return str(value).encode("utf-8", "surrogatepass")
