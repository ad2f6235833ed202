-- What an agent wants beyond its ceiling, and what its owner says. What was allowed is a ceiling of its own
-- until it ends.
CREATE TABLE agent_approvals (
    id          TEXT PRIMARY KEY,
    tenant      TEXT NOT NULL,
    -- Whose answer it takes.
    user_name   TEXT NOT NULL,
    agent       TEXT NOT NULL REFERENCES agents (id) ON DELETE CASCADE,
    scope       TEXT NOT NULL,
    audience    TEXT NOT NULL,
    -- What of the scope it lacked when it asked.
    missing     TEXT NOT NULL,
    reason      TEXT,
    state       TEXT NOT NULL CHECK (state IN ('open', 'granted', 'refused')),
    raised_at   BIGINT NOT NULL,
    -- When nobody can answer any more; once granted, when it is over.
    expires_at  BIGINT NOT NULL,
    answered_at BIGINT,
    -- The device on which it was answered.
    answered_by TEXT REFERENCES enrollments (id),
    FOREIGN KEY (tenant, user_name) REFERENCES users (tenant, name)
);
CREATE INDEX agent_approvals_by_user ON agent_approvals (tenant, user_name, raised_at, id);
CREATE INDEX agent_approvals_by_agent ON agent_approvals (agent, state, expires_at);
CREATE INDEX agent_approvals_by_end ON agent_approvals (expires_at);
