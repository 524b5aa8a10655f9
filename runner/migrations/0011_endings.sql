-- When a signal that was known was last told again; 0 for never.
ALTER TABLE signals ADD COLUMN heard_at INTEGER NOT NULL DEFAULT 0;

-- Why an incident is over where its alerts did not end by themselves, as JSON.
ALTER TABLE incidents ADD COLUMN resolution TEXT;
