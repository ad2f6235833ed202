-- Registered passkeys. Whether one can be used now is computed: a passkey that cannot leave its
-- device stands and falls with it.
CREATE TABLE passkeys (
    id              TEXT PRIMARY KEY,
    tenant          TEXT NOT NULL,
    user_name       TEXT NOT NULL,
    label           TEXT NOT NULL,
    attachment      TEXT NOT NULL CHECK (attachment IN ('platform', 'roaming')),
    -- The device it was registered on.
    enrollment      TEXT NOT NULL REFERENCES enrollments (id),
    -- The authenticator's name for it, unique in the world.
    credential_id   BLOB NOT NULL UNIQUE,
    -- Public key and attestation, as the WebAuthn library keeps them.
    credential      TEXT NOT NULL,
    counter         BIGINT NOT NULL,
    backup_eligible BIGINT NOT NULL,
    backup_state    BIGINT NOT NULL,
    resident        BIGINT,
    aaguid          TEXT,
    registered_at   BIGINT NOT NULL,
    last_used_at    BIGINT,
    FOREIGN KEY (tenant, user_name) REFERENCES users (tenant, name)
);
CREATE INDEX passkeys_by_user ON passkeys (tenant, user_name, registered_at, id);
CREATE INDEX passkeys_by_enrollment ON passkeys (enrollment);

-- Pending ceremonies: single use, minutes of life.
CREATE TABLE ceremonies (
    id              TEXT PRIMARY KEY,
    purpose         TEXT NOT NULL CHECK (purpose IN ('register', 'step-up')),
    tenant          TEXT NOT NULL,
    user_name       TEXT NOT NULL,
    -- The SPIFFE ID and the key that began it; no other key can redeem it.
    actor           TEXT NOT NULL,
    enrollment      TEXT NOT NULL REFERENCES enrollments (id),
    thumbprint      TEXT NOT NULL,
    -- SHA-256 of the secret in the page's address.
    secret_hash     BLOB NOT NULL,
    -- The act to confirm, as JSON; its canonical bytes are in the challenge.
    act             TEXT,
    nonce           BLOB NOT NULL,
    attachment      TEXT,
    label           TEXT,
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
    FOREIGN KEY (tenant, user_name) REFERENCES users (tenant, name)
);
CREATE INDEX ceremonies_by_enrollment ON ceremonies (enrollment, begun_at);
