-- Agents: one durable key each. Names are unique for ever: rows go only when they never proved their key,
-- or were a part of another agent and are long over.
CREATE TABLE agents (
    id               TEXT PRIMARY KEY,
    tenant           TEXT NOT NULL REFERENCES tenants (name),
    -- aauth:local@domain
    agent            TEXT NOT NULL UNIQUE,
    thumbprint       TEXT NOT NULL UNIQUE,
    -- The public key, as a JSON Web Key.
    jwk              TEXT NOT NULL,
    state            TEXT NOT NULL CHECK (state IN ('unproven', 'active', 'revoked')),
    -- When an unproven one is gone; when a revoked one was revoked.
    state_at         BIGINT,
    door             TEXT NOT NULL CHECK (door IN ('link-code', 'pairing', 'allow-list', 'open', 'parent')),
    owner            TEXT,
    -- The owner's device through which it came.
    introduced_by    TEXT REFERENCES enrollments (id),
    parent           TEXT REFERENCES agents (id),
    person_server    TEXT,
    label            TEXT,
    enrolled_at      BIGINT NOT NULL,
    last_seen_at     BIGINT NOT NULL,
    -- When its newest token ends.
    token_until      BIGINT NOT NULL,
    FOREIGN KEY (tenant, owner) REFERENCES users (tenant, name)
);
CREATE INDEX agents_by_owner ON agents (tenant, owner, agent);
CREATE INDEX agents_by_parent ON agents (parent, token_until) WHERE parent IS NOT NULL;
CREATE INDEX agents_unproven ON agents (state_at) WHERE state = 'unproven';

-- Naming tokens that were taken, each once.
CREATE TABLE agent_replays (
    thumbprint TEXT NOT NULL,
    jti        TEXT NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (thumbprint, jti)
);
CREATE INDEX agent_replays_by_end ON agent_replays (expires_at);

-- Codes that let one agent in, made by a user on one of their devices.
CREATE TABLE agent_codes (
    id          TEXT PRIMARY KEY,
    tenant      TEXT NOT NULL,
    user_name   TEXT NOT NULL,
    enrollment  TEXT NOT NULL REFERENCES enrollments (id),
    -- What the agent will be called; absent leaves it to the agent.
    name        TEXT,
    auth_hash   BLOB NOT NULL UNIQUE,
    state       TEXT NOT NULL CHECK (state IN ('issued', 'consumed', 'cancelled')),
    issued_at   BIGINT NOT NULL,
    expires_at  BIGINT NOT NULL,
    ended_at    BIGINT,
    -- The key that used it, and what it was called.
    consumed_by TEXT,
    agent       TEXT,
    FOREIGN KEY (tenant, user_name) REFERENCES users (tenant, name)
);
CREATE INDEX agent_codes_by_user ON agent_codes (tenant, user_name, issued_at, id);
CREATE INDEX agent_codes_by_end ON agent_codes (expires_at);

-- An agent and a device of its future owner, side by side: what the two tell each other, as in `links`.
CREATE TABLE agent_pairings (
    id          TEXT PRIMARY KEY,
    tenant      TEXT NOT NULL,
    -- Whose agent it wants to be. Need not exist.
    user_name   TEXT NOT NULL,
    name        TEXT NOT NULL,
    thumbprint  TEXT NOT NULL,
    code        TEXT NOT NULL,
    place       TEXT NOT NULL,
    state       TEXT NOT NULL CHECK (state IN ('open', 'approved', 'enrolled', 'stopped')),
    stage       TEXT NOT NULL CHECK (stage IN ('waiting', 'claimed', 'answered', 'revealed')),
    claimed_by  TEXT REFERENCES enrollments (id),
    commitment  BLOB,
    answer      BLOB,
    reveal      BLOB,
    begun_at    BIGINT NOT NULL,
    expires_at  BIGINT NOT NULL
);
CREATE INDEX agent_pairings_by_code ON agent_pairings (code, expires_at);
CREATE INDEX agent_pairings_by_key ON agent_pairings (thumbprint, expires_at);
CREATE INDEX agent_pairings_by_place ON agent_pairings (place, begun_at);
CREATE INDEX agent_pairings_by_end ON agent_pairings (expires_at);
