"""The parts that wait and send: one connection, requests on their way, callbacks, user data, and who keeps it all up."""
