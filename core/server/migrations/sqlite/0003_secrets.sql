-- Managed secrets hang on the user, never on a device. The row outlives its versions, so that a version
-- number is never given twice.
CREATE TABLE secrets (
    tenant    TEXT NOT NULL,
    user_name TEXT NOT NULL,
    name      TEXT NOT NULL,
    -- The highest version number ever given.
    newest    BIGINT NOT NULL,
    -- How many versions there are; none when it was deleted.
    versions  BIGINT NOT NULL,
    PRIMARY KEY (tenant, user_name, name),
    FOREIGN KEY (tenant, user_name) REFERENCES users (tenant, name)
);

CREATE TABLE secret_versions (
    tenant     TEXT NOT NULL,
    user_name  TEXT NOT NULL,
    name       TEXT NOT NULL,
    version    BIGINT NOT NULL,
    -- An envelope bound to the four columns above.
    sealed     BLOB NOT NULL,
    size       BIGINT NOT NULL,
    written_at BIGINT NOT NULL,
    written_by TEXT NOT NULL,
    PRIMARY KEY (tenant, user_name, name, version),
    FOREIGN KEY (tenant, user_name, name) REFERENCES secrets (tenant, user_name, name)
);

-- How far the audit is sealed, what is needed to go on, and which node does.
CREATE TABLE audit_head (
    name       TEXT PRIMARY KEY,
    size       BIGINT NOT NULL,
    peaks      BLOB NOT NULL,
    holder     TEXT NOT NULL,
    held_until BIGINT NOT NULL
);
INSERT INTO audit_head (name, size, peaks, holder, held_until) VALUES ('log', 0, x'', '', 0);
