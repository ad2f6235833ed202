-- Since when a device may not act, without a break: a revocation of one that was suspended before keeps the
-- suspension's time. Holds are measured by it.
ALTER TABLE enrollments ADD COLUMN cut_at BIGINT;
UPDATE enrollments SET cut_at = state_changed_at WHERE state <> 'active';
