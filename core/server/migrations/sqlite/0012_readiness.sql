-- Plans that users have made stricter for themselves, as JSON. The tenant's own is in the configuration
-- and always holds, too.
CREATE TABLE recovery_plans (
    tenant    TEXT NOT NULL,
    user_name TEXT NOT NULL,
    plan      TEXT NOT NULL,
    set_at    BIGINT NOT NULL,
    PRIMARY KEY (tenant, user_name),
    FOREIGN KEY (tenant, user_name) REFERENCES users (tenant, name)
);

-- The newest drill of each kind. No recovery reads this table, and a drill writes no other.
CREATE TABLE recovery_drills (
    tenant     TEXT NOT NULL,
    user_name  TEXT NOT NULL,
    door       TEXT NOT NULL,
    -- The code's name, or the passkey.
    thing      TEXT NOT NULL,
    -- Whether it would have counted in a recovery.
    counts     BIGINT NOT NULL,
    enrollment TEXT NOT NULL REFERENCES enrollments (id),
    done_at    BIGINT NOT NULL,
    PRIMARY KEY (tenant, user_name, door),
    FOREIGN KEY (tenant, user_name) REFERENCES users (tenant, name)
);

CREATE INDEX users_by_role ON users (tenant, role, name);
