-- What the owner of an account must hear of. A row commits with the act that it tells of.
CREATE TABLE notices (
    id        TEXT PRIMARY KEY,
    tenant    TEXT NOT NULL,
    user_name TEXT NOT NULL,
    at        BIGINT NOT NULL,
    kind      TEXT NOT NULL,
    -- What happened, and by whom, as JSON: each kind tells something else.
    what      TEXT NOT NULL,
    by_whom   TEXT NOT NULL,
    source    TEXT,
    FOREIGN KEY (tenant, user_name) REFERENCES users (tenant, name)
);
CREATE INDEX notices_by_user ON notices (tenant, user_name, at, id);
CREATE INDEX notices_by_time ON notices (at);

-- Where a user's notices are mailed to; until it is confirmed, nothing but codes goes there.
CREATE TABLE addresses (
    id           TEXT PRIMARY KEY,
    tenant       TEXT NOT NULL,
    user_name    TEXT NOT NULL,
    address      TEXT NOT NULL,
    added_at     BIGINT NOT NULL,
    confirmed_at BIGINT,
    -- SHA-256 over the row's id and the code that was mailed last.
    code_hash    BLOB,
    code_until   BIGINT,
    tries_left   BIGINT NOT NULL DEFAULT 0,
    UNIQUE (tenant, user_name, address),
    FOREIGN KEY (tenant, user_name) REFERENCES users (tenant, name)
);

CREATE INDEX addresses_by_wait ON addresses (added_at) WHERE confirmed_at IS NULL;

-- Mails on their way. A row commits with the act; a node that takes it on leases it.
CREATE TABLE outbox (
    id           TEXT PRIMARY KEY,
    tenant       TEXT NOT NULL,
    user_name    TEXT NOT NULL,
    -- One notice; a summary of what followed a burst, from this notice on; or a code.
    purpose      TEXT NOT NULL CHECK (purpose IN ('notice', 'summary', 'code')),
    kind         TEXT NOT NULL,
    notice       TEXT REFERENCES notices (id),
    -- Of a code; the row may be gone by then.
    address      TEXT,
    recipient    TEXT NOT NULL,
    made_at      BIGINT NOT NULL,
    due_at       BIGINT NOT NULL,
    attempts     BIGINT NOT NULL DEFAULT 0,
    leased_by    TEXT,
    leased_until BIGINT,
    ended_at     BIGINT,
    outcome      TEXT CHECK (outcome IN ('delivered', 'given-up', 'moot')),
    -- What the last failed attempt met with.
    fault        TEXT,
    UNIQUE (notice, recipient),
    FOREIGN KEY (tenant, user_name) REFERENCES users (tenant, name)
);
CREATE INDEX outbox_due ON outbox (due_at) WHERE ended_at IS NULL;
CREATE INDEX outbox_by_end ON outbox (ended_at) WHERE ended_at IS NOT NULL;
CREATE INDEX outbox_by_user ON outbox (tenant, user_name, kind, made_at);
CREATE INDEX outbox_by_recipient ON outbox (recipient, kind, made_at);
