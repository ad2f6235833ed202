-- Since when somebody is an administrator, and when one was so last: who lets an administrator back in has been one
-- for a day, and whose account it is stays one for as long after the role is gone.
ALTER TABLE users ADD COLUMN admin_since BIGINT;
ALTER TABLE users ADD COLUMN admin_until BIGINT;
UPDATE users SET admin_since = created_at WHERE role = 'admin';

-- An account that an administrator has frozen is opened by one.
ALTER TABLE users ADD COLUMN frozen_by_admin BOOLEAN NOT NULL DEFAULT FALSE;
