"""The parts that wait and send: a connection, requests on their way, callbacks, user data, and who keeps them up."""
