-- People who sign in: our own staff, and people of our customers. Nobody is ever removed, so that
-- what someone did stays theirs. password: Argon2id in PHC's form; null for those who come by an
-- identity provider alone.
create table people_person (
    id text primary key,
    login text not null unique check (login ~ '^[a-z0-9][a-z0-9._@+-]{0,79}$'),
    name text not null check (name <> ''),
    roles text[] not null check (
        roles <@ array['sales', 'operations', 'finance', 'approver', 'admin', 'customer']),
    party text,
    language text not null,
    active boolean not null default true,
    password text check (password like '$argon2id$%'),
    made_at timestamptz not null,
    check ('customer' <> all (roles) or roles = array['customer']),
    check ((party is not null) = ('customer' = any (roles)) or roles = '{}')
);

-- As whom identity providers know them.
create table people_identity (
    issuer text not null check (issuer <> ''),
    subject text not null check (subject <> ''),
    person text not null references people_person (id),
    primary key (issuer, subject)
);
create index people_identity_person on people_identity (person);

-- Wrong passwords in a row, by the login that was typed, whether there is such a person or not.
create table people_attempt (
    login text primary key,
    failures integer not null check (failures >= 0),
    waits_until timestamptz,
    last_at timestamptz not null
);
create index people_attempt_last on people_attempt (last_at);

-- token_hash: SHA-256 of the token that the browser has; the token itself is nowhere here.
create table people_session (
    id text primary key,
    person text not null references people_person (id),
    token_hash bytea not null unique check (length(token_hash) = 32),
    agent text not null,
    begun_at timestamptz not null,
    seen_at timestamptz not null check (seen_at >= begun_at),
    ends_at timestamptz not null check (ends_at > begun_at),
    ended_at timestamptz
);
create index people_session_person on people_session (person) where ended_at is null;
create index people_session_ends on people_session (ends_at);

-- What was typed into a form whose session had ended. fields: JSON.
create table people_parked (
    id text primary key,
    person text not null references people_person (id),
    path text not null,
    fields bytea not null check (length(fields) <= 262144),
    parked_at timestamptz not null
);
create index people_parked_person on people_parked (person, parked_at);
create index people_parked_at on people_parked (parked_at);

-- What people changed: who, with which roles, what and why. Never changed.
create table people_audit (
    number bigint generated always as identity primary key,
    at timestamptz not null,
    who text not null check (who <> ''),
    roles text[] not null,
    action text not null check (action <> ''),
    subject text not null,
    why text not null,
    details jsonb
);
create index people_audit_who on people_audit (who, number);
create index people_audit_action on people_audit (action, number);
create index people_audit_subject on people_audit (subject, number);

create function people_audit_kept() returns trigger language plpgsql as $$
begin
    raise exception 'the audit log only grows' using errcode = 'insufficient_privilege';
end $$;
create trigger people_audit_kept before update or delete or truncate on people_audit
    for each statement execute function people_audit_kept();

-- What one person wants and another has to agree to. checked_at: when it was decided, or withdrawn.
create table people_proposal (
    id text primary key,
    kind text not null check (kind <> ''),
    subject text not null check (subject <> ''),
    content jsonb not null,
    fingerprint text not null check (fingerprint ~ '^[0-9a-f]{64}$'),
    why text not null,
    maker text not null references people_person (login),
    made_at timestamptz not null,
    state text not null check (state in ('open', 'approved', 'rejected', 'withdrawn')),
    checker text references people_person (login),
    checked_at timestamptz check ((checked_at is null) = (state = 'open')),
    checker_why text not null,
    check (checker <> maker),
    check ((checker is not null) = (state in ('approved', 'rejected')))
);
create unique index people_proposal_open on people_proposal (kind, subject) where state = 'open';
create index people_proposal_state on people_proposal (state, id);

-- What is proposed stays as it was made, and what was decided is decided.
create function people_proposal_stays() returns trigger language plpgsql as $$
begin
    if tg_op <> 'UPDATE' or old.state <> 'open'
       or (new.id, new.kind, new.subject, new.content, new.fingerprint, new.why, new.maker,
           new.made_at)
          is distinct from (old.id, old.kind, old.subject, old.content, old.fingerprint, old.why,
           old.maker, old.made_at)
    then
        raise exception 'a proposal keeps what it says, and one that was decided stays so'
            using errcode = 'check_violation';
    end if;
    return new;
end $$;
create trigger people_proposal_stays before update or delete on people_proposal
    for each row execute function people_proposal_stays();

-- A login is a name in the audit log for ever, and a person is who it was when it was entered.
create function people_person_stays() returns trigger language plpgsql as $$
begin
    if tg_op <> 'UPDATE' or (new.id, new.login, new.made_at) <> (old.id, old.login, old.made_at) then
        raise exception 'a person keeps id and login, and is never removed'
            using errcode = 'check_violation';
    end if;
    return new;
end $$;
create trigger people_person_stays before update or delete on people_person
    for each row execute function people_person_stays();

call hansa_isolate('people_person', 'people_identity', 'people_attempt', 'people_session',
                   'people_parked', 'people_audit', 'people_proposal');
