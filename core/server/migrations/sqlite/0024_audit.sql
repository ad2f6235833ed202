-- Which rule decided. Rows from before have none, and their leaves are hashed without it.
ALTER TABLE audit_events ADD COLUMN rule TEXT;

-- Roots of whole blocks of the sealed log, so that a proof need not read all of it.
CREATE TABLE audit_blocks (
    number BIGINT PRIMARY KEY,
    root   BLOB NOT NULL
);
