"""The doors to the servers: each client records what it exchanged, and raises `Unseen` where it saw nothing."""
