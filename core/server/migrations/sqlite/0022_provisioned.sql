-- Machines that stand for themselves. Their keys are enrolments like people's, without a user: sessions,
-- certificates and what cuts them off are the same rows.

-- SQLite cannot take NOT NULL off a column, so the table is made anew. References to it are checked at the
-- end of this transaction, when all its rows are back.
PRAGMA defer_foreign_keys = ON;
CREATE TABLE enrollments_before AS SELECT * FROM enrollments;
DROP TABLE enrollments;
CREATE TABLE enrollments (
    id               TEXT PRIMARY KEY,
    tenant           TEXT NOT NULL REFERENCES tenants (name),
    -- Absent for a machine that stands for itself.
    user_name        TEXT,
    device           TEXT NOT NULL,
    label            TEXT,
    thumbprint       TEXT NOT NULL UNIQUE,
    spki             BLOB NOT NULL,
    state            TEXT NOT NULL CHECK (state IN ('active', 'suspended', 'revoked')),
    state_changed_at BIGINT,
    enrolled_at      BIGINT NOT NULL,
    last_seen_at     BIGINT NOT NULL,
    not_after        BIGINT NOT NULL,
    -- A person's device has one key for ever; a machine may have several.
    UNIQUE (tenant, user_name, device),
    FOREIGN KEY (tenant, user_name) REFERENCES users (tenant, name)
);
INSERT INTO enrollments (id, tenant, user_name, device, label, thumbprint, spki, state, state_changed_at,
                         enrolled_at, last_seen_at, not_after)
    SELECT id, tenant, user_name, device, label, thumbprint, spki, state, state_changed_at,
           enrolled_at, last_seen_at, not_after
    FROM enrollments_before;
DROP TABLE enrollments_before;

-- Names are unique for ever: rows are never deleted.
CREATE TABLE provisioned_devices (
    tenant           TEXT NOT NULL REFERENCES tenants (name),
    name             TEXT NOT NULL,
    role             TEXT NOT NULL,
    state            TEXT NOT NULL CHECK (state IN ('active', 'suspended', 'revoked')),
    state_changed_at BIGINT,
    created_at       BIGINT NOT NULL,
    PRIMARY KEY (tenant, name)
);

-- What an enrolment without a user has beside the enrolment.
CREATE TABLE provisioned_keys (
    enrollment     TEXT PRIMARY KEY REFERENCES enrollments (id),
    tenant         TEXT NOT NULL,
    device         TEXT NOT NULL,
    -- Who had it made, and who agreed, as SPIFFE IDs.
    provisioned_by TEXT NOT NULL,
    approved_by    TEXT,
    -- SHA-256 of the sealed file that was handed out. A key that the machine made has none, and no end.
    file_hash      BLOB,
    expires_at     BIGINT,
    -- When the machine put a key of its own in this one's place, and which.
    claimed_at     BIGINT,
    successor      TEXT REFERENCES enrollments (id),
    CHECK ((file_hash IS NULL) = (expires_at IS NULL)),
    CHECK ((claimed_at IS NULL) = (successor IS NULL)),
    FOREIGN KEY (tenant, device) REFERENCES provisioned_devices (tenant, name)
);
CREATE INDEX provisioned_keys_by_device ON provisioned_keys (tenant, device, enrollment);

-- A second person's yes: for one key, of one machine, made by one person.
CREATE TABLE provision_approvals (
    id          TEXT PRIMARY KEY,
    tenant      TEXT NOT NULL,
    device      TEXT NOT NULL,
    role        TEXT NOT NULL,
    asker       TEXT NOT NULL,
    approver    TEXT NOT NULL,
    approved_by TEXT NOT NULL,
    approved_at BIGINT NOT NULL,
    expires_at  BIGINT NOT NULL,
    spent_at    BIGINT,
    FOREIGN KEY (tenant, asker) REFERENCES users (tenant, name),
    FOREIGN KEY (tenant, approver) REFERENCES users (tenant, name)
);
CREATE INDEX provision_approvals_by_end ON provision_approvals (expires_at);
CREATE INDEX provision_approvals_by_asker ON provision_approvals (tenant, asker, device, expires_at);
