-- Mail (邮件): what people are told, also by mail, for those who want it.

-- By which server mail leaves. The password is no row: it stands in the configuration of the process.
CREATE TABLE mail_server (
    name TEXT COLLATE "C" PRIMARY KEY,
    is_on BOOLEAN NOT NULL,
    host TEXT NOT NULL,
    port BIGINT NOT NULL,
    security TEXT COLLATE "C" NOT NULL CHECK (security IN ('tls', 'starttls', 'none')),
    username TEXT NOT NULL,
    sender TEXT NOT NULL,
    version BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    updated_by BIGINT NOT NULL
);

-- Who wants to be told by mail. The address is the person's own.
CREATE TABLE mail_choices (
    person_id BIGINT PRIMARY KEY REFERENCES people (id),
    wants BOOLEAN NOT NULL,
    updated_at BIGINT NOT NULL
);

-- Mail on its way. `message_id` never changes, so that a mail that was sent twice is known as one.
CREATE TABLE mails (
    id BIGINT PRIMARY KEY,
    person_id BIGINT NOT NULL REFERENCES people (id),
    recipient TEXT NOT NULL,
    subject TEXT NOT NULL,
    body TEXT NOT NULL,
    message_id TEXT COLLATE "C" NOT NULL,
    state TEXT COLLATE "C" NOT NULL CHECK (state IN ('waiting', 'sent', 'failed')),
    attempts BIGINT NOT NULL DEFAULT 0,
    next_at BIGINT NOT NULL,
    last_error TEXT NOT NULL DEFAULT '',
    created_at BIGINT NOT NULL,
    sent_at BIGINT
);
CREATE UNIQUE INDEX mails_message ON mails (message_id);
CREATE INDEX mails_next ON mails (state, next_at, id);
