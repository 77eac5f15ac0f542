"""Luigi tasks: each reads artifacts, calls one function, and writes an artifact."""
