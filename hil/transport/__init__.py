"""The only layer that knows a real clock, a socket or a file descriptor."""
