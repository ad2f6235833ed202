-- Agents' tokens that name a person server, until they end: it is told of each when the agent is cut off.
CREATE TABLE agent_tokens (
    jti           TEXT PRIMARY KEY,
    agent         TEXT NOT NULL REFERENCES agents (id),
    person_server TEXT NOT NULL,
    expires_at    BIGINT NOT NULL,
    -- When it was called in, and when the person server is told next. Absent while the token serves.
    called_in_at  BIGINT,
    due_at        BIGINT,
    attempts      INTEGER NOT NULL DEFAULT 0,
    leased_by     TEXT,
    leased_until  BIGINT
);
CREATE INDEX agent_tokens_by_agent ON agent_tokens (agent, expires_at);
CREATE INDEX agent_tokens_due ON agent_tokens (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX agent_tokens_by_end ON agent_tokens (expires_at);
CREATE INDEX agents_by_introducer ON agents (introduced_by);
