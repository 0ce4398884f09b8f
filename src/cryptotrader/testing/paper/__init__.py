"""A paper exchange for tests: on a port in a thread of its own, or without sockets on virtual time."""
