-- Who lets a waiting period stand in for a proof of their own. Absent is no.
CREATE TABLE waiting_consents (
    tenant    TEXT NOT NULL,
    user_name TEXT NOT NULL,
    given_at  BIGINT NOT NULL,
    PRIMARY KEY (tenant, user_name),
    FOREIGN KEY (tenant, user_name) REFERENCES users (tenant, name)
);

-- Waiting periods, each of one recovery and so of one key. Time counts in three legs; each begins when
-- somebody of the account has received the notice of it.
CREATE TABLE recovery_waits (
    recovery     TEXT PRIMARY KEY REFERENCES recoveries (id) ON DELETE CASCADE,
    tenant       TEXT NOT NULL,
    user_name    TEXT NOT NULL,
    state        TEXT NOT NULL CHECK (state IN ('running', 'contested', 'vetoed', 'ended')),
    whole_seconds BIGINT NOT NULL,
    leg          TEXT NOT NULL CHECK (leg IN ('first', 'second', 'last')),
    -- Notices are dropped long after a wait is over.
    notice       TEXT NOT NULL,
    -- Absent until that notice was received.
    leg_ends_at  BIGINT,
    begun_at     BIGINT NOT NULL,
    ended_at     BIGINT
);
CREATE INDEX recovery_waits_by_user ON recovery_waits (tenant, user_name, state);
CREATE INDEX recovery_waits_by_leg ON recovery_waits (leg_ends_at) WHERE state = 'running';

-- Devices that a recovery suspended: what becomes a revocation unless somebody objects.
CREATE TABLE recovery_suspensions (
    enrollment TEXT PRIMARY KEY REFERENCES enrollments (id),
    -- Which one; the row may be gone by then.
    recovery   TEXT NOT NULL,
    made_at    BIGINT NOT NULL,
    revoke_at  BIGINT NOT NULL,
    state      TEXT NOT NULL CHECK (state IN ('pending', 'revoked', 'objected')),
    ended_at   BIGINT
);
CREATE INDEX recovery_suspensions_due ON recovery_suspensions (revoke_at) WHERE state = 'pending';
CREATE INDEX recovery_suspensions_of ON recovery_suspensions (recovery);

-- The recovery that made a device, if one did.
CREATE INDEX recoveries_by_enrollment ON recoveries (enrollment) WHERE enrollment IS NOT NULL;

-- Who last read a secret on which device. Of readings alone, so that nothing else gets slower.
CREATE INDEX audit_readings ON audit_events (tenant, actor_user, actor_device, target, at)
    WHERE action = 'read-secret' AND outcome = 'allow';
