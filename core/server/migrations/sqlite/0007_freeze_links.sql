-- The links in mailed notices that freeze an account, each by the hash of its secret.
CREATE TABLE freeze_links (
    hash       BLOB PRIMARY KEY,
    tenant     TEXT NOT NULL,
    user_name  TEXT NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at    BIGINT,
    FOREIGN KEY (tenant, user_name) REFERENCES users (tenant, name)
);
CREATE INDEX freeze_links_by_end ON freeze_links (expires_at);
