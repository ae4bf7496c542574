-- Statements as this node holds them: those it issued and those it heard.
create table settlement_statement (
    id text primary key,
    direction text not null check (direction in ('issued', 'heard')),
    kind_of text not null check (kind_of in ('services', 'revenue-share')),
    agreement text not null,
    agreement_version integer not null,
    creditor text not null,
    debtor text not null check (debtor <> creditor),
    period_start timestamptz not null,
    currency char(3) not null,
    replaces text,
    document jsonb not null,
    fingerprint text not null,
    signature jsonb not null,
    state text not null
        check (state in ('issued', 'disputed', 'confirmed', 'invoiced', 'withdrawn')),
    bill text,
    number text,
    compared_at timestamptz,
    waiting text not null default '',
    differences jsonb not null default '[]',
    confirmation jsonb,
    netting text,
    learned_at timestamptz not null,
    check (state not in ('confirmed', 'invoiced') or confirmation is not null),
    check (state <> 'invoiced' or (bill is not null and number is not null)),
    check (netting is null or state = 'invoiced')
);
-- Between two parties there is one statement that counts for the same thing.
create unique index settlement_statement_live on settlement_statement
    (creditor, debtor, kind_of, agreement, agreement_version, currency, period_start)
    where state <> 'withdrawn';
create unique index settlement_statement_bill on settlement_statement (bill)
    where state <> 'withdrawn';
create index settlement_statement_replaces on settlement_statement (replaces)
    where replaces is not null;
create index settlement_statement_open on settlement_statement (id)
    where state in ('issued', 'disputed', 'confirmed');
create index settlement_statement_period on settlement_statement (period_start);

-- What a statement says never changes, nor does an answer once it is signed.
create function settlement_statement_guard() returns trigger language plpgsql as $$
begin
    if tg_op in ('DELETE', 'TRUNCATE') then
        raise exception 'a statement is never deleted' using errcode = '42501';
    end if;
    if (new.id, new.direction, new.document, new.fingerprint, new.signature) is distinct from
       (old.id, old.direction, old.document, old.fingerprint, old.signature)
       or (old.confirmation is not null and new.confirmation is distinct from old.confirmation)
       or (old.state in ('invoiced', 'withdrawn') and new.state <> old.state)
       or (old.netting is not null and new.netting is distinct from old.netting) then
        raise exception 'statement % cannot be changed so', old.id using errcode = '42501';
    end if;
    return new;
end $$;
create trigger settlement_statement_guard before update or delete on settlement_statement
    for each row execute function settlement_statement_guard();
create trigger settlement_statement_kept before truncate on settlement_statement
    for each statement execute function settlement_statement_guard();

-- Differences that a person has accepted: what they were, who and why. Never changed.
create table settlement_resolution (
    id bigint generated always as identity primary key,
    statement text not null references settlement_statement (id),
    difference jsonb not null,
    by_whom text not null check (by_whom <> ''),
    why text not null check (why <> ''),
    at timestamptz not null,
    unique (statement, difference)
);

-- Agreements and periods of which all revenue has been shared.
create table settlement_shared (
    agreement text not null,
    period_start timestamptz not null,
    at timestamptz not null,
    primary key (agreement, period_start)
);

-- What was moved to a partner's settlement account, and for which statements. Never changed.
create table settlement_netting (
    key text primary key,
    partner text not null,
    period_start timestamptz not null,
    period_end timestamptz not null,
    currency char(3) not null,
    receivable_minor bigint not null,
    payable_minor bigint not null,
    statements text[] not null check (cardinality(statements) > 0),
    at timestamptz not null
);
create index settlement_netting_period on settlement_netting (period_start, partner, currency);

create function settlement_append_only() returns trigger language plpgsql as $$
begin
    raise exception '% only grows', tg_table_name using errcode = '42501';
end $$;
create trigger settlement_resolution_kept before update or delete or truncate
    on settlement_resolution for each statement execute function settlement_append_only();
create trigger settlement_shared_kept before update or delete or truncate
    on settlement_shared for each statement execute function settlement_append_only();
create trigger settlement_netting_kept before update or delete or truncate
    on settlement_netting for each statement execute function settlement_append_only();
