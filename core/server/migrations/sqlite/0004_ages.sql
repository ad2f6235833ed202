-- What is over is found by its end, so that dropping it never reads a whole table.
CREATE INDEX certificates_by_end ON certificates (not_after);
CREATE INDEX sessions_by_end ON sessions (expires_at);
CREATE INDEX ceremonies_by_end ON ceremonies (expires_at);
CREATE INDEX grants_by_end ON grants (expires_at);
CREATE INDEX tokens_by_end ON tokens (expires_at);
CREATE INDEX stranger_refusals_by_minute ON stranger_refusals (minute);
-- A certificate is dropped only when no token speaks of it.
CREATE INDEX tokens_by_certificate ON tokens (certificate);
-- Sessions that end with the device that their passkey cannot leave.
CREATE INDEX sessions_by_home_of_passkey ON sessions (passkey_lives_on)
    WHERE passkey_lives_on IS NOT NULL;
