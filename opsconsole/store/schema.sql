-- The records: one table of entries, only ever appended to, each chained to the one before it by its hash.
-- The triggers are for accidents and for haste; the chain is for whoever gets past them.

CREATE TABLE IF NOT EXISTS schema_version (
    version INTEGER NOT NULL
);

CREATE TABLE IF NOT EXISTS entry (
    position INTEGER NOT NULL PRIMARY KEY,  -- 1, 2, 3 ... over all runs, without a gap
    run TEXT NOT NULL,
    number INTEGER NOT NULL,                -- 1, 2, 3 ... within the run
    at DOUBLE PRECISION NOT NULL,           -- unix seconds
    kind TEXT NOT NULL,                     -- the name of the event's class
    body TEXT NOT NULL,                     -- the event, JSON
    hash TEXT NOT NULL,                     -- see opsconsole/store/chain.py
    UNIQUE (run, number)
);

CREATE INDEX IF NOT EXISTS entry_by_kind ON entry (kind, position);

CREATE TRIGGER IF NOT EXISTS entry_is_never_changed BEFORE UPDATE ON entry
BEGIN
    SELECT RAISE(ABORT, 'records are append-only');
END;

CREATE TRIGGER IF NOT EXISTS entry_is_never_removed BEFORE DELETE ON entry
BEGIN
    SELECT RAISE(ABORT, 'records are append-only');
END;

INSERT INTO schema_version (version) SELECT 1 WHERE NOT EXISTS (SELECT version FROM schema_version);
