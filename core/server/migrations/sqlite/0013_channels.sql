-- Codes that somebody who is recovering an account asks to be mailed. The user is as a stranger named
-- them, and need not exist: whether there is anybody to mail to is looked at afterwards, apart from the
-- request, so that its answer tells nothing. The rows are also what limits are counted by.
CREATE TABLE recovery_mails (
    id        TEXT PRIMARY KEY,
    recovery  TEXT NOT NULL REFERENCES recoveries (id),
    tenant    TEXT NOT NULL,
    user_name TEXT NOT NULL,
    place     TEXT NOT NULL,
    -- The address that the request came from, for the mail.
    source    TEXT,
    -- Whether something else had been proved by then.
    proved    BIGINT NOT NULL,
    asked_at  BIGINT NOT NULL,
    sorted_at BIGINT
);
CREATE INDEX recovery_mails_by_user ON recovery_mails (tenant, user_name, asked_at);
CREATE INDEX recovery_mails_by_place ON recovery_mails (place, asked_at);
CREATE INDEX recovery_mails_by_recovery ON recovery_mails (recovery);
CREATE INDEX recovery_mails_by_time ON recovery_mails (asked_at);
CREATE INDEX recovery_mails_waiting ON recovery_mails (asked_at) WHERE sorted_at IS NULL;

-- The code that was mailed last to each address, for one recovery: HMAC-SHA-256 under the server's key.
CREATE TABLE recovery_mail_codes (
    recovery  TEXT NOT NULL REFERENCES recoveries (id),
    address   TEXT NOT NULL,
    code_hash BLOB NOT NULL,
    until     BIGINT NOT NULL,
    PRIMARY KEY (recovery, address)
);
CREATE INDEX recovery_mail_codes_by_end ON recovery_mail_codes (until);

-- What a code that goes out was asked for by; the row may be gone by then.
ALTER TABLE outbox ADD COLUMN recovery_mail TEXT;
-- How it goes out: the recipient is an address, or the address of a webhook.
ALTER TABLE outbox ADD COLUMN channel TEXT NOT NULL DEFAULT 'mail'
    CHECK (channel IN ('mail', 'webhook'));
