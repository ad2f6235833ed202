-- Types: TEXT, BIGINT (epoch milliseconds, counts, booleans), BLOB. Nothing else, so that the same
-- statements run on PostgreSQL.

CREATE TABLE meta (
    key   TEXT PRIMARY KEY,
    value TEXT NOT NULL
);

-- CA and signing keys, sealed under the master key.
CREATE TABLE sealed_keys (
    name        TEXT PRIMARY KEY,
    sealed      BLOB NOT NULL,
    certificate BLOB,
    created_at  BIGINT NOT NULL
);

CREATE TABLE tenants (
    name       TEXT PRIMARY KEY,
    created_at BIGINT NOT NULL
);

CREATE TABLE users (
    tenant          TEXT NOT NULL REFERENCES tenants (name),
    name            TEXT NOT NULL,
    role            TEXT NOT NULL CHECK (role IN ('member', 'admin')),
    frozen_at       BIGINT,
    webauthn_handle BLOB NOT NULL UNIQUE,
    created_at      BIGINT NOT NULL,
    PRIMARY KEY (tenant, name)
);

-- One key of one device. Names are unique for ever: rows are never deleted.
CREATE TABLE enrollments (
    id               TEXT PRIMARY KEY,
    tenant           TEXT NOT NULL,
    user_name        TEXT NOT NULL,
    device           TEXT NOT NULL,
    label            TEXT,
    thumbprint       TEXT NOT NULL UNIQUE,
    spki             BLOB NOT NULL,
    state            TEXT NOT NULL CHECK (state IN ('active', 'suspended', 'revoked')),
    state_changed_at BIGINT,
    enrolled_at      BIGINT NOT NULL,
    last_seen_at     BIGINT NOT NULL,
    not_after        BIGINT NOT NULL,
    UNIQUE (tenant, user_name, device),
    FOREIGN KEY (tenant, user_name) REFERENCES users (tenant, name)
);

CREATE TABLE certificates (
    serial         TEXT PRIMARY KEY,
    enrollment     TEXT NOT NULL REFERENCES enrollments (id),
    der            BLOB NOT NULL,
    issued_at      BIGINT NOT NULL,
    not_after      BIGINT NOT NULL,
    -- SHA-256 of the renewal's signature: the same signature answers with the same certificate.
    renewal_digest BLOB UNIQUE
);
CREATE INDEX certificates_by_enrollment ON certificates (enrollment, not_after);

CREATE TABLE tokens (
    id             TEXT PRIMARY KEY,
    tenant         TEXT NOT NULL REFERENCES tenants (name),
    kind           TEXT NOT NULL CHECK (kind IN ('claim', 'invite', 'device')),
    user_name      TEXT,
    device         TEXT,
    role           TEXT NOT NULL,
    auth_hash      BLOB NOT NULL UNIQUE,
    state          TEXT NOT NULL CHECK (state IN ('issued', 'consumed', 'cancelled')),
    issued_by      TEXT,
    issuer         TEXT,
    issued_at      BIGINT NOT NULL,
    expires_at     BIGINT NOT NULL,
    consumed_at    BIGINT,
    consumed_by    TEXT,
    enrollment     TEXT REFERENCES enrollments (id),
    certificate    TEXT REFERENCES certificates (serial),
    cancelled_at   BIGINT,
    refused_tries  BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX tokens_by_issuer ON tokens (tenant, issuer, issued_at);

-- The right to register a first passkey.
CREATE TABLE grants (
    id         TEXT PRIMARY KEY,
    enrollment TEXT NOT NULL REFERENCES enrollments (id),
    expires_at BIGINT NOT NULL,
    spent_at   BIGINT
);
CREATE INDEX grants_by_enrollment ON grants (enrollment);

CREATE TABLE sessions (
    id           TEXT PRIMARY KEY,
    tenant       TEXT NOT NULL,
    enrollment   TEXT NOT NULL REFERENCES enrollments (id),
    strength     TEXT NOT NULL CHECK (strength IN ('cert-only', 'cert+human')),
    auth_time    BIGINT NOT NULL,
    expires_at   BIGINT NOT NULL,
    -- The human factor, as it was when the session was born.
    passkey          TEXT,
    passkey_since    BIGINT,
    passkey_lives_on TEXT,
    -- The one act that the session serves, as BoundAction::canonical().
    bound_act    BLOB,
    spent_at     BIGINT,
    ended_at     BIGINT
);
CREATE INDEX sessions_by_enrollment ON sessions (enrollment, ended_at);

-- What nodes must cut; polled. Rows older than the longest session are pruned.
CREATE TABLE changes (
    seq        INTEGER PRIMARY KEY AUTOINCREMENT,
    thumbprint TEXT NOT NULL,
    -- Who wrote it, and has therefore cut its own connections already.
    node       TEXT NOT NULL,
    at         BIGINT NOT NULL
);

-- One row for everything that anybody did or tried. `ordinal` is the order of writing (times and ids
-- are not); `seq` and `leaf` come from the sealer.
CREATE TABLE audit_events (
    ordinal       INTEGER PRIMARY KEY AUTOINCREMENT,
    id            TEXT NOT NULL UNIQUE,
    at            BIGINT NOT NULL,
    tenant        TEXT NOT NULL,
    actor         TEXT NOT NULL,
    actor_user    TEXT,
    actor_device  TEXT,
    parents       TEXT NOT NULL,
    action        TEXT NOT NULL,
    target        TEXT NOT NULL,
    outcome       TEXT NOT NULL,
    reason        TEXT,
    strength      TEXT,
    session       TEXT,
    request       TEXT,
    personal_hash BLOB NOT NULL,
    seq           BIGINT UNIQUE,
    leaf          BLOB
);
CREATE INDEX audit_by_actor ON audit_events (tenant, actor_user, at, id);
CREATE INDEX audit_by_time ON audit_events (tenant, at, id);

-- What can be erased without breaking the log: the event commits to a salted hash of it.
CREATE TABLE audit_personal (
    event      TEXT PRIMARY KEY REFERENCES audit_events (id),
    salt       BLOB NOT NULL,
    source     TEXT,
    user_agent TEXT
);

CREATE TABLE audit_checkpoints (
    size      BIGINT PRIMARY KEY,
    root      BLOB NOT NULL,
    at        BIGINT NOT NULL,
    signature BLOB NOT NULL
);

-- Refusals of strangers, counted instead of written one by one.
CREATE TABLE stranger_refusals (
    prefix TEXT NOT NULL,
    code   TEXT NOT NULL,
    minute BIGINT NOT NULL,
    count  BIGINT NOT NULL,
    PRIMARY KEY (prefix, code, minute)
);
