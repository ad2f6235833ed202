-- Platforms whose word is taken for who a workload is, besides those of the configuration. The
-- definition is JSON; what is looked for stands in columns.
CREATE TABLE workload_issuers (
    tenant     TEXT NOT NULL,
    name       TEXT NOT NULL,
    issuer     TEXT NOT NULL,
    definition TEXT NOT NULL,
    added_by   TEXT NOT NULL,
    added_at   BIGINT NOT NULL,
    PRIMARY KEY (tenant, name),
    UNIQUE (tenant, issuer)
);

-- What a platform's token was used for: by the SHA-256 of issuer and pod, or issuer and token, and by
-- key. A token of a CI job serves one key; a pod brings so many keys within an hour.
CREATE TABLE workload_uses (
    digest      BLOB NOT NULL,
    thumbprint  TEXT NOT NULL,
    used_at     BIGINT NOT NULL,
    -- The X.509-SVID of a job, DER: the same key again gets the same one.
    certificate BLOB,
    not_after   BIGINT,
    -- From then on nothing asks for it.
    ends_at     BIGINT NOT NULL,
    PRIMARY KEY (digest, thumbprint)
);
CREATE INDEX workload_uses_by_end ON workload_uses (ends_at);
