"""The tables by subject; ``app.models`` is where everyone imports them from."""
