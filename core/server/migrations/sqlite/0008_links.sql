-- Links: recoveries that another device of the same user lets in. What the two clients tell each other
-- the server only carries.
CREATE TABLE links (
    recovery   TEXT PRIMARY KEY REFERENCES recoveries (id),
    -- What the new device shows. It finds the link and opens nothing.
    code       TEXT NOT NULL,
    stage      TEXT NOT NULL CHECK (stage IN ('waiting', 'claimed', 'answered', 'revealed')),
    -- As the recovery's, for the pool of those that wait.
    expires_at BIGINT NOT NULL,
    claimed_by TEXT REFERENCES enrollments (id),
    commitment BLOB,
    answer     BLOB,
    reveal     BLOB
);
CREATE INDEX links_by_code ON links (code, expires_at);
CREATE INDEX links_waiting ON links (expires_at) WHERE stage = 'waiting';
