"""What Schemathesis does not know by itself: how records are sent, which are text of several kinds."""

import schemathesis


@schemathesis.serializer("application/x-ndjson", "text/csv")
def as_text(_context, value):
    """Sends whatever is made for a record as it is."""
    if isinstance(value, bytes):
        return value
    return str(value).encode("utf-8", "surrogatepass")
