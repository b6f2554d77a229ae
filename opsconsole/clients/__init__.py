"""The doors to the servers: each client records what it exchanged and never makes up what it did not see."""
