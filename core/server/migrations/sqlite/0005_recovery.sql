-- Recovery codes. The server never sees one: it is told a name, and a hash that it keeps under a key of
-- its own. Codes that are over stay, so that whoever holds one learns why.
CREATE TABLE recovery_codes (
    tenant    TEXT NOT NULL,
    user_name TEXT NOT NULL,
    name      TEXT NOT NULL,
    -- HMAC-SHA-256 of SHA-256 of the code's auth half.
    auth_hash BLOB NOT NULL,
    state     TEXT NOT NULL CHECK (state IN ('live', 'used', 'replaced')),
    made_at   BIGINT NOT NULL,
    ended_at  BIGINT,
    -- The device that it let in.
    used_by   TEXT,
    PRIMARY KEY (tenant, user_name, name),
    FOREIGN KEY (tenant, user_name) REFERENCES users (tenant, name)
);
CREATE INDEX recovery_codes_by_state ON recovery_codes (tenant, user_name, state);

-- Ways back in, each bound to the key that began it. The user is as a stranger named them, and need not
-- exist: nobody learns who does.
CREATE TABLE recoveries (
    id          TEXT PRIMARY KEY,
    tenant      TEXT NOT NULL,
    user_name   TEXT NOT NULL,
    device      TEXT NOT NULL,
    thumbprint  TEXT NOT NULL,
    spki        BLOB NOT NULL,
    -- Where it was begun from: an address, or the network of one customer.
    place       TEXT NOT NULL,
    state       TEXT NOT NULL CHECK (state IN ('open', 'completed', 'stopped')),
    begun_at    BIGINT NOT NULL,
    expires_at  BIGINT NOT NULL,
    ended_at    BIGINT,
    tries_left  BIGINT NOT NULL,
    enrollment  TEXT REFERENCES enrollments (id),
    -- By serial; certificates are dropped long after this recovery answers with one.
    certificate TEXT
);
-- One that is open for an account and a key.
CREATE UNIQUE INDEX recoveries_open ON recoveries (tenant, user_name, thumbprint)
    WHERE state = 'open';
CREATE INDEX recoveries_by_user ON recoveries (tenant, user_name, state, begun_at);
CREATE INDEX recoveries_by_time ON recoveries (tenant, state, begun_at, id);
CREATE INDEX recoveries_by_place ON recoveries (place, begun_at);
CREATE INDEX recoveries_by_end ON recoveries (expires_at);

-- What was proved. Whether it counts is asked of the rows it names, each time.
CREATE TABLE recovery_proofs (
    recovery   TEXT NOT NULL REFERENCES recoveries (id),
    door       TEXT NOT NULL,
    -- Who or which: the same one counts once.
    given_by   TEXT NOT NULL,
    -- A code's name, or the device that an administrator approved on.
    thing      TEXT NOT NULL,
    reason     TEXT,
    given_at   BIGINT NOT NULL,
    PRIMARY KEY (recovery, door, given_by)
);

-- Signatures of messages that were taken: none is taken twice.
CREATE TABLE recovery_messages (
    digest   BLOB PRIMARY KEY,
    taken_at BIGINT NOT NULL
);
CREATE INDEX recovery_messages_by_time ON recovery_messages (taken_at);
