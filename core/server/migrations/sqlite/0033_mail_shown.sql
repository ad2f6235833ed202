-- What a recovery had shown when it asked for a mail: one thing takes not all of an account's mails.
ALTER TABLE recovery_mails ADD COLUMN shown TEXT;
