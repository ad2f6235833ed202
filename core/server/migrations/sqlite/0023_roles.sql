-- Two roles more. A column that others refer to cannot be made anew with its table, so the new one takes
-- the old one's place; its check goes with it.
DROP INDEX users_by_role;
ALTER TABLE users ADD COLUMN held_role TEXT NOT NULL DEFAULT 'member'
    CHECK (held_role IN ('member', 'auditor', 'operator', 'admin'));
UPDATE users SET held_role = role;
ALTER TABLE users DROP COLUMN role;
ALTER TABLE users RENAME COLUMN held_role TO role;
CREATE INDEX users_by_role ON users (tenant, role, name);

-- What a tenant adds to the shipped rules; the newest generation is in force.
CREATE TABLE policies (
    tenant     TEXT NOT NULL REFERENCES tenants (name),
    generation BIGINT NOT NULL,
    text       TEXT NOT NULL,
    set_at     BIGINT NOT NULL,
    -- Who; the server's operator when absent.
    set_by     TEXT,
    PRIMARY KEY (tenant, generation)
);

-- What rules were asked lately, so that others can be tried on it. Without names of people.
CREATE TABLE policy_questions (
    tenant   TEXT NOT NULL REFERENCES tenants (name),
    digest   BLOB NOT NULL,
    question TEXT NOT NULL,
    last_at  BIGINT NOT NULL,
    PRIMARY KEY (tenant, digest)
);
CREATE INDEX policy_questions_by_time ON policy_questions (tenant, last_at);
