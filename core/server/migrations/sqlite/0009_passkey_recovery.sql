-- Ceremonies of a bare machine: begun by a key that is no device's yet, for a recovery. Whose account
-- that leads into is what a stranger said, so no row of a user is named. (SQLite changes no constraint
-- in place: the table is made anew, and what is under way stays.)
CREATE TABLE ceremonies_wider (
    id              TEXT PRIMARY KEY,
    purpose         TEXT NOT NULL CHECK (purpose IN ('register', 'step-up', 'recover')),
    tenant          TEXT NOT NULL,
    -- Whose, who began it and on which device; a recovery's ceremony has none of them.
    user_name       TEXT,
    actor           TEXT,
    enrollment      TEXT REFERENCES enrollments (id),
    recovery        TEXT REFERENCES recoveries (id),
    -- The key that began it; no other key can redeem it.
    thumbprint      TEXT NOT NULL,
    -- SHA-256 of the secret in the page's address.
    secret_hash     BLOB NOT NULL,
    -- The act to confirm, as JSON; its canonical bytes are in the challenge.
    act             TEXT,
    nonce           BLOB NOT NULL,
    attachment      TEXT,
    label           TEXT,
    -- Whether a new passkey must be one that is found without a user name.
    resident        BIGINT NOT NULL,
    -- Where the page sends the completion; absent when it is typed.
    return_port     BIGINT,
    return_path     TEXT,
    match_number    TEXT NOT NULL,
    -- What the authenticator is asked, and what its answer is checked against.
    options         TEXT NOT NULL,
    expectation     TEXT NOT NULL,
    grant_id        TEXT REFERENCES grants (id),
    state           TEXT NOT NULL CHECK (state IN ('begun', 'proved', 'redeemed', 'failed')),
    begun_at        BIGINT NOT NULL,
    expires_at      BIGINT NOT NULL,
    -- Set at the touch.
    proved_at       BIGINT,
    completion_hash BLOB,
    tries_left      BIGINT NOT NULL,
    passkey         TEXT,
    proof           TEXT,
    FOREIGN KEY (tenant, user_name) REFERENCES users (tenant, name),
    CHECK ((purpose = 'recover') = (recovery IS NOT NULL)),
    CHECK ((recovery IS NULL) = (user_name IS NOT NULL)),
    CHECK ((recovery IS NULL) = (actor IS NOT NULL)),
    CHECK ((recovery IS NULL) = (enrollment IS NOT NULL))
);
INSERT INTO ceremonies_wider (id, purpose, tenant, user_name, actor, enrollment, thumbprint,
        secret_hash, act, nonce, attachment, label, resident, return_port, return_path, match_number,
        options, expectation, grant_id, state, begun_at, expires_at, proved_at, completion_hash,
        tries_left, passkey, proof)
    SELECT id, purpose, tenant, user_name, actor, enrollment, thumbprint,
        secret_hash, act, nonce, attachment, label, 0, return_port, return_path, match_number,
        options, expectation, grant_id, state, begun_at, expires_at, proved_at, completion_hash,
        tries_left, passkey, proof
    FROM ceremonies;
DROP TABLE ceremonies;
ALTER TABLE ceremonies_wider RENAME TO ceremonies;
CREATE INDEX ceremonies_by_enrollment ON ceremonies (enrollment, begun_at);
CREATE INDEX ceremonies_by_recovery ON ceremonies (recovery, begun_at) WHERE recovery IS NOT NULL;
CREATE INDEX ceremonies_by_end ON ceremonies (expires_at);

-- How a passkey's authenticator can be reached, as the browser told at registration: comma-separated.
ALTER TABLE passkeys ADD COLUMN transports TEXT;
