-- Notices about netting as they were heard; what they mean is decided later, by us.
create table clearing_letter (
    id bigint generated always as identity primary key,
    sender text not null,
    fingerprint text not null,
    notice jsonb not null,
    at timestamptz not null,
    done boolean not null default false,
    why text not null default '',
    unique (sender, fingerprint)
);
create index clearing_letter_waiting on clearing_letter (id) where not done;

-- Rounds of which this node is the centre, and what each party has said.
create table clearing_round (
    id text primary key,
    call jsonb not null,
    state text not null check (state in ('called', 'proposed', 'settled', 'empty')),
    until timestamptz not null,
    plan jsonb,
    check (state <> 'settled' or plan is not null)
);
create table clearing_seat (
    round text not null references clearing_round (id),
    party text not null,
    state text not null check (state in ('asked', 'offered', 'signed', 'out')),
    lines jsonb not null default '[]',
    signature jsonb,
    why text not null default '',
    primary key (round, party),
    check (state <> 'signed' or signature is not null)
);

-- Our own part in rounds.
create table clearing_part (
    round text primary key,
    centre text not null,
    call jsonb not null,
    state text not null
        check (state in ('offered', 'proposed', 'refused', 'signed', 'settled', 'dropped')),
    attempt integer not null,
    offered jsonb not null,
    plan jsonb,
    lines jsonb not null default '[]',
    signature jsonb,
    why text not null default '',
    check (state not in ('signed', 'settled') or (plan is not null and signature is not null))
);

-- Which invoices are bound to a round that we have signed, or are paid: each to one thing.
create table clearing_claim (
    statement text primary key,
    holder text not null
);
create index clearing_claim_holder on clearing_claim (holder);

-- What is settled stays so: neither a round nor our part in one goes on from there.
create function clearing_settled_guard() returns trigger language plpgsql as $$
begin
    if tg_op in ('DELETE', 'TRUNCATE') then
        raise exception 'a round is never deleted' using errcode = '42501';
    end if;
    if old.state = 'settled' and new is distinct from old then
        raise exception 'what is settled does not change' using errcode = '42501';
    end if;
    return new;
end $$;
create trigger clearing_round_guard before update or delete on clearing_round
    for each row execute function clearing_settled_guard();
create trigger clearing_part_guard before update or delete on clearing_part
    for each row execute function clearing_settled_guard();
create trigger clearing_round_kept before truncate on clearing_round
    for each statement execute function clearing_settled_guard();
create trigger clearing_part_kept before truncate on clearing_part
    for each statement execute function clearing_settled_guard();

call hansa_isolate('clearing_letter', 'clearing_round', 'clearing_seat', 'clearing_part',
                   'clearing_claim');

-- A partner may leave us a notice, and no more.
grant select, insert on clearing_letter to hansa_guest;
create policy of_the_sender on clearing_letter to hansa_guest
    using (sender = hansa_party())
    with check (sender = hansa_party() and not done and why = '');
