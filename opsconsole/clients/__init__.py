"""The doors to the servers: each client reads, records what it exchanged, and raises `Unseen` where it saw nothing."""
