-- People whom a user chose to vouch for them: one row for each pair, in its latest term.
CREATE TABLE guardians (
    tenant      TEXT NOT NULL,
    user_name   TEXT NOT NULL,
    guardian    TEXT NOT NULL,
    named_at    BIGINT NOT NULL,
    accepted_at BIGINT,
    ended_at    BIGINT,
    PRIMARY KEY (tenant, user_name, guardian),
    FOREIGN KEY (tenant, user_name) REFERENCES users (tenant, name),
    FOREIGN KEY (tenant, guardian) REFERENCES users (tenant, name)
);
CREATE INDEX guardians_by_guardian ON guardians (tenant, guardian, user_name);
