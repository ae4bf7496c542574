-- The books. Debits are positive, credits negative; amounts are minor units of one currency.
--
-- Accounts, entries, legs and batches are only ever inserted. An account holds no balance of
-- its own: it stands where its last leg says. Every rule below also holds for whoever writes
-- to the tables without ledger_post, which is only the quick way to obey them all.

create function ledger_refuse_change() returns trigger language plpgsql as $$
begin
    raise insufficient_privilege using
        message = format('%s is never changed: %s refused', tg_table_name, lower(tg_op)),
        hint = 'Correct an entry by another one that reverses it.';
end $$;

-- The end of the chain has one writer at a time, from its first entry until it commits.
create function ledger_lock() returns void language sql as $$
    select pg_advisory_xact_lock(hashtextextended('hansa.ledger.chain', 0))
$$;

-- ---------------------------------------------------------------------------- tables

create table ledger_account (
    id bigint generated always as identity primary key,
    code text not null unique,
    kind text not null check (kind in ('asset', 'liability', 'income', 'expense', 'equity')),
    party text check (party ~ '^[a-z][a-z0-9-]{0,38}[a-z0-9]$'),
    currency char(3) not null,
    constraint ledger_account_code check (
        code ~ '^[a-z0-9_.-]+(/[a-z0-9_.-]+)*/[A-Z]{3}$' and right(code, 3) = currency
        and length(code) <= 200)
);
create index ledger_account_party on ledger_account (party, currency);

-- A link of the chain: hash = sha256(previous, position, posted_at, digests), where digests
-- are those of its entries in order, 32 bytes each.
create table ledger_batch (
    position bigint primary key,
    posted_at timestamptz not null,
    last_entry bigint not null,
    digests bytea not null,
    previous bytea not null check (octet_length(previous) = 32),
    hash bytea not null check (octet_length(hash) = 32)
);
alter table ledger_batch alter column digests set storage external;  -- hashes do not compress

create table ledger_entry (
    number bigint primary key,
    id text not null unique check (id ~ '^ent_[0-9a-z]+$'),
    key text not null unique check (key <> '' and strpos(key, e'\n') = 0),
    request bytea not null check (octet_length(request) = 32),
    batch bigint not null references ledger_batch (position) deferrable initially deferred,
    kind text not null check (kind ~ '^[a-z][a-z-]*$'),
    ref text not null check (ref <> '' and strpos(ref, e'\n') = 0),
    document bytea not null check (octet_length(document) = 32),
    words text not null check (words <> '' and strpos(words, e'\n') = 0),
    effective_at timestamptz not null,
    reverses bigint unique references ledger_entry (number) check (reverses < number)
);

create table ledger_leg (
    entry bigint not null references ledger_entry (number),
    line integer not null,
    account bigint not null references ledger_account (id),
    sequence bigint not null,
    amount bigint not null check (amount <> 0),
    balance bigint not null,
    primary key (entry, line),
    unique (account, sequence)
);

create view ledger_balance as
    select a.id, a.code, a.kind, a.party, a.currency,
           coalesce(last.balance, 0) as balance, coalesce(last.sequence, 0) as legs
      from ledger_account a
      left join lateral (
           select l.balance, l.sequence from ledger_leg l
            where l.account = a.id order by l.sequence desc limit 1) last on true;

-- A row for each leg. The joins are outer ones, to show books that somebody tampered with.
create view ledger_journal as
    select e.number, e.id, e.key, encode(e.request, 'hex') as request, e.kind, e.ref,
           encode(e.document, 'hex') as document, e.words, e.effective_at, b.posted_at, e.batch,
           r.id as reverses, l.line, l.sequence, l.amount, l.balance, a.code,
           a.kind as account_kind, a.party, a.currency
      from ledger_entry e
      left join ledger_batch b on b.position = e.batch
      left join ledger_entry r on r.number = e.reverses
      left join ledger_leg l on l.entry = e.number
      left join ledger_account a on a.id = l.account;

-- ---------------------------------------------------------------------------- the rules

create function ledger_entry_before() returns trigger language plpgsql as $$
begin
    perform ledger_lock();
    return null;
end $$;

-- An entry belongs to the batch that comes next: nothing joins a batch that is sealed.
create function ledger_entry_check() returns trigger language plpgsql as $$
declare
    next bigint := coalesce((select max(position) from ledger_batch), 0) + 1;
begin
    if exists (select from fresh where batch <> next) then
        raise check_violation using
            constraint = 'ledger_entry_open',
            message = format('new entries belong to batch %s', next);
    end if;
    return null;
end $$;

-- All legs of an entry come in one statement, numbered from 1, in one currency, and add up
-- to zero; each one continues its account: the next sequence, the balance carried forward.
create function ledger_leg_check() returns trigger language plpgsql as $$
declare
    wrong bigint;
begin
    select f.entry into wrong
      from fresh f join ledger_account a on a.id = f.account
     group by f.entry
    having sum(f.amount) <> 0 or count(*) < 2 or min(a.currency) <> max(a.currency)
        or min(f.line) <> 1 or max(f.line) <> count(*)
     limit 1;
    if wrong is not null then
        raise check_violation using
            constraint = 'ledger_leg_balanced',
            message = format('entry %s does not balance', wrong),
            detail = 'An entry has two or more legs in one currency that add up to zero, '
                     'numbered from 1 and inserted in one statement.';
    end if;
    select n.entry into wrong
      from (select f.entry, f.account, f.sequence, f.amount, f.balance,
                   lag(f.sequence) over one as sequence_before,
                   lag(f.balance) over one as balance_before
              from fresh f window one as (partition by f.account order by f.sequence)) n
      left join ledger_leg b on n.sequence_before is null
                            and b.account = n.account and b.sequence = n.sequence - 1
     where coalesce(n.sequence_before, b.sequence, 0) <> n.sequence - 1
        or coalesce(n.balance_before, b.balance, 0) <> n.balance - n.amount
     limit 1;
    if wrong is not null then
        raise check_violation using
            constraint = 'ledger_leg_continues',
            message = format('entry %s does not continue its accounts', wrong);
    end if;
    return null;
end $$;

create function ledger_micros(at timestamptz) returns bigint
language sql immutable parallel safe
return (extract(epoch from at) * 1000000)::bigint;

-- SHA-256 of each entry from number `first` to `last`: its fields and then its legs, a line
-- each, in UTF-8. Null for an entry without legs, no row for one that is missing.
create function ledger_digests(first bigint, last bigint, out entries bigint, out digests bytea)
language sql stable as $$
    select count(d.digest), string_agg(d.digest, ''::bytea order by d.number)
      from (select e.number, sha256(convert_to(concat_ws(e'\n',
                   e.number, e.id, e.key, encode(e.request, 'hex'), e.kind, e.ref,
                   encode(e.document, 'hex'), ledger_micros(e.effective_at),
                   coalesce((select r.id from ledger_entry r where r.number = e.reverses), '-'),
                   e.words) || e'\n' || legs.lines, 'UTF8')) as digest
              from ledger_entry e
             cross join lateral (
                   select string_agg(concat_ws(' ', l.line, a.code, a.kind,
                                     coalesce(a.party, '-'), l.sequence, l.amount, l.balance),
                                     e'\n' order by l.line) as lines
                     from ledger_leg l join ledger_account a on a.id = l.account
                    where l.entry = e.number) legs
             where e.number between first and last) d
$$;

-- The first entry of these that reverses another without having its legs, sign changed.
create function ledger_not_opposite(first bigint, last bigint) returns bigint
language sql stable as $$
    select e.number
      from ledger_entry e
     where e.number between first and last and e.reverses is not null
       and (select array_agg(row(l.line, l.account, l.amount) order by l.line)
              from ledger_leg l where l.entry = e.number)
           is distinct from
           (select array_agg(row(l.line, l.account, -l.amount) order by l.line)
              from ledger_leg l where l.entry = e.reverses)
     order by e.number limit 1
$$;

-- Seals a batch: whoever inserts one gives its time, the rest is computed from what is stored.
create function ledger_seal() returns trigger language plpgsql as $$
declare
    before ledger_batch;
    sealed record;
    wrong bigint;
begin
    perform ledger_lock();
    select * into before from ledger_batch order by position desc limit 1;
    if before.position is null then
        before.position := 0;
        before.last_entry := 0;
        before.hash := decode(repeat('00', 32), 'hex');
    end if;
    new.last_entry := coalesce((select max(number) from ledger_entry), 0);
    sealed := ledger_digests(before.last_entry + 1, new.last_entry);
    if sealed.entries <> new.last_entry - before.last_entry or sealed.entries = 0 then
        raise check_violation using
            constraint = 'ledger_batch_whole',
            message = 'a batch has one entry or more, numbered without a gap, each with legs';
    end if;
    wrong := ledger_not_opposite(before.last_entry + 1, new.last_entry);
    if wrong is not null then
        raise check_violation using
            constraint = 'ledger_entry_opposite',
            message = format('entry %s is not the opposite of the one that it reverses', wrong);
    end if;
    new.position := before.position + 1;
    new.previous := before.hash;
    new.digests := sealed.digests;
    new.hash := sha256(new.previous || int8send(new.position)
                       || int8send(ledger_micros(new.posted_at)) || new.digests);
    return new;
end $$;

create trigger ledger_entry_before before insert on ledger_entry
    for each statement execute function ledger_entry_before();
create trigger ledger_entry_check after insert on ledger_entry
    referencing new table as fresh for each statement execute function ledger_entry_check();
create trigger ledger_leg_check after insert on ledger_leg
    referencing new table as fresh for each statement execute function ledger_leg_check();
create trigger ledger_batch_seal before insert on ledger_batch
    for each row execute function ledger_seal();

create trigger ledger_account_fixed before update or delete or truncate on ledger_account
    for each statement execute function ledger_refuse_change();
create trigger ledger_entry_fixed before update or delete or truncate on ledger_entry
    for each statement execute function ledger_refuse_change();
create trigger ledger_leg_fixed before update or delete or truncate on ledger_leg
    for each statement execute function ledger_refuse_change();
create trigger ledger_batch_fixed before update or delete or truncate on ledger_batch
    for each statement execute function ledger_refuse_change();

-- ---------------------------------------------------------------------------- posting

-- Opens what is missing. account_kind null: the caller names an account that must be there.
create function ledger_open(
    account_code text[], account_kind text[], account_party text[], account_currency text[]
) returns void language plpgsql as $$
begin
    if exists (select from unnest(account_code) c
                where not exists (select from ledger_account a where a.code = c)) then
        perform ledger_lock();
        insert into ledger_account (code, kind, party, currency)
        select s.code, s.kind, s.party, s.currency
          from unnest(account_code, account_kind, account_party, account_currency)
               as s (code, kind, party, currency)
         where s.kind is not null
         order by s.code
            on conflict (code) do nothing;
    end if;
end $$;

-- Accounts that cannot be used as they are named: which one, and why.
create function ledger_account_faults(
    account_code text[], account_kind text[], account_party text[], account_currency text[],
    out place integer, out outcome text
) returns setof record language sql stable as $$
    select s.place::integer,
           case when a.id is null then 'account-unknown' else 'account-differs' end
      from unnest(account_code, account_kind, account_party, account_currency)
           with ordinality as s (code, kind, party, currency, place)
      left join ledger_account a on a.code = s.code
     where case when a.id is null then s.kind is null
                else a.currency <> s.currency
                  or s.kind is not null
                     and (a.kind <> s.kind or a.party is distinct from s.party) end
$$;

-- Posts every entry or none. Arrays of one length describe accounts (each once), entries and
-- legs; a leg names its entry and its account by their places. Returns for each entry
-- 'posted' or 'replayed'; or, with nothing posted, only the offences.
create function ledger_post(
    at timestamptz,
    account_code text[], account_kind text[], account_party text[], account_currency text[],
    entry_id text[], entry_key text[], entry_request text[], entry_kind text[],
    entry_ref text[], entry_document text[], entry_words text[],
    entry_effective timestamptz[], entry_reverses text[],
    leg_entry integer[], leg_line integer[], leg_account integer[], leg_amount bigint[],
    out place integer, out outcome text
) returns setof record language plpgsql
-- Every look-up is by a key. A plan that was made while the tables were small must not read
-- them from end to end when they have grown.
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off
set plan_cache_mode = force_generic_plan as $$
declare
    numbers bigint[];  -- of each entry, 0 where it is a replay
    accounts bigint[];
    sequences bigint[];
    balances bigint[];
    last bigint;
begin
    perform ledger_lock();
    last := coalesce((select b.last_entry from ledger_batch b order by b.position desc limit 1), 0);

    return query
        select s.place::integer, 'key-reused'
          from unnest(entry_key, entry_request) with ordinality as s (key, request, place)
          join ledger_entry e on e.key = s.key
         where e.request <> decode(s.request, 'hex')
        union all
        select max(s.place)::integer, 'key-reused'
          from unnest(entry_key, entry_request) with ordinality as s (key, request, place)
         group by s.key having min(s.request) <> max(s.request);
    if found then return; end if;

    -- The first of each key that is not in the books gets the next number.
    select array_agg(case when n.fresh then last + n.rank else 0 end order by n.place)
      into numbers
      from (select f.place, f.fresh,
                   count(*) filter (where f.fresh) over (order by f.place) as rank
              from (select s.place, e.key is null
                           and row_number() over (partition by s.key order by s.place) = 1
                           as fresh
                      from unnest(entry_key) with ordinality as s (key, place)
                      left join ledger_entry e on e.key = s.key) f) n;

    return query select f.place, f.outcome from ledger_account_faults(
        account_code, account_kind, account_party, account_currency) f;
    if found then return; end if;

    if array_remove(entry_reverses, null) <> '{}' then
        return query
            select s.place::integer,
                   case when e.number is null then 'entry-unknown' else 'entry-reversed' end
              from unnest(entry_reverses, numbers) with ordinality as s (id, number, place)
              left join ledger_entry e on e.id = s.id
             where s.id is not null and s.number > 0
               and (e.number is null
                    or exists (select from ledger_entry r where r.reverses = e.number));
        if found then return; end if;
    end if;

    if exists (select from unnest(numbers) n where n > 0) then
        perform ledger_open(account_code, account_kind, account_party, account_currency);
        select array_agg(b.id order by s.place), array_agg(b.legs order by s.place),
               array_agg(b.balance order by s.place)
          into accounts, sequences, balances
          from unnest(account_code) with ordinality as s (code, place)
          join ledger_balance b on b.code = s.code;

        insert into ledger_entry (number, id, key, request, batch, kind, ref, document, words,
                                  effective_at, reverses)
        select s.number, s.id, s.key, decode(s.request, 'hex'),
               coalesce((select max(position) from ledger_batch), 0) + 1,
               s.kind, s.ref, decode(s.document, 'hex'), s.words, s.effective_at,
               (select e.number from ledger_entry e where e.id = s.reverses)
          from unnest(numbers, entry_id, entry_key, entry_request, entry_kind, entry_ref,
                      entry_document, entry_words, entry_effective, entry_reverses)
               as s (number, id, key, request, kind, ref, document, words, effective_at,
                     reverses)
         where s.number > 0;

        insert into ledger_leg (entry, line, account, sequence, amount, balance)
        select numbers[s.entry], s.line, accounts[s.account],
               sequences[s.account] + row_number() over one, s.amount,
               balances[s.account] + sum(s.amount) over one
          from unnest(leg_entry, leg_line, leg_account, leg_amount)
               as s (entry, line, account, amount)
         where numbers[s.entry] > 0
        window one as (partition by accounts[s.account] order by s.entry, s.line
                       rows unbounded preceding);

        insert into ledger_batch (posted_at) values (at);
    end if;

    return query
        select s.place::integer, case when s.number > 0 then 'posted' else 'replayed' end
          from unnest(numbers) with ordinality as s (number, place)
         order by s.place;
end $$;

-- ---------------------------------------------------------------------------- holds

-- One row for each party and currency: who places a hold there locks it first.
create table ledger_credit (
    party text not null,
    currency char(3) not null,
    primary key (party, currency)
);

create table ledger_hold (
    id text primary key check (id ~ '^hol_[0-9a-z]+$'),
    key text not null unique check (key <> ''),
    party text not null check (party ~ '^[a-z][a-z0-9-]{0,38}[a-z0-9]$'),
    currency char(3) not null check (currency ~ '^[A-Z]{3}$'),
    amount bigint not null check (amount > 0),
    credit_limit bigint,
    ref text not null check (ref <> ''),
    placed_at timestamptz not null,
    expires_at timestamptz check (expires_at > placed_at),
    state text not null default 'active'
        check (state in ('active', 'posted', 'voided', 'expired')),
    moved_at timestamptz,
    check ((state = 'active') = (moved_at is null)),
    foreign key (party, currency) references ledger_credit (party, currency)
);
create index ledger_hold_active on ledger_hold (party, currency) where state = 'active';
create index ledger_hold_due on ledger_hold (expires_at) where state = 'active';

-- What a party may cost us: the balances of its asset accounts, and its active holds.
create function ledger_exposure(of_party text, in_currency text) returns bigint
language sql stable as $$
    select coalesce((select sum(b.balance) from ledger_balance b
                      where b.party = of_party and b.currency = in_currency
                        and b.kind = 'asset'), 0)::bigint
         + coalesce((select sum(h.amount) from ledger_hold h
                      where h.party = of_party and h.currency = in_currency
                        and h.state = 'active'), 0)::bigint
$$;

create function ledger_credit_lock(of_party text, in_currency text) returns void
language plpgsql as $$
begin
    insert into ledger_credit (party, currency) values (of_party, in_currency)
        on conflict do nothing;
    perform from ledger_credit where party = of_party and currency = in_currency for update;
end $$;

create function ledger_hold_check() returns trigger language plpgsql as $$
begin
    perform ledger_credit_lock(new.party, new.currency);
    if new.state <> 'active' then
        raise check_violation using
            constraint = 'ledger_hold_starts_active', message = 'a hold starts active';
    end if;
    if ledger_exposure(new.party, new.currency) + new.amount > new.credit_limit then
        raise check_violation using
            constraint = 'ledger_hold_within_limit',
            message = format('hold %s goes beyond the credit limit', new.id);
    end if;
    return new;
end $$;

-- A hold moves once, from active to one of its ends; nothing else of it changes.
create function ledger_hold_move() returns trigger language plpgsql as $$
begin
    if old.state <> 'active' or new.state = 'active'
       or to_jsonb(new) - array['state', 'moved_at'] <> to_jsonb(old) - array['state', 'moved_at']
    then
        raise insufficient_privilege using
            message = format('hold %s moves once, from active to its end', old.id);
    end if;
    return new;
end $$;

create trigger ledger_hold_check before insert on ledger_hold
    for each row execute function ledger_hold_check();
create trigger ledger_hold_move before update on ledger_hold
    for each row execute function ledger_hold_move();
create trigger ledger_hold_kept before delete or truncate on ledger_hold
    for each statement execute function ledger_refuse_change();
create trigger ledger_credit_fixed before update or delete or truncate on ledger_credit
    for each statement execute function ledger_refuse_change();

-- Places a hold within its limit. outcome: 'placed', 'replayed' (the key made hold `made`),
-- 'key-reused', or 'credit-limit' with what is used already.
create function ledger_place_hold(
    hold_id text, hold_key text, of_party text, in_currency text, asked bigint, up_to bigint,
    for_ref text, at timestamptz, until timestamptz,
    out outcome text, out made text, out used bigint
) language plpgsql as $$
declare
    standing ledger_hold;
begin
    perform ledger_credit_lock(of_party, in_currency);
    select * into standing from ledger_hold where key = hold_key;
    if found then
        made := standing.id;
        outcome := case when (standing.party, standing.currency, standing.amount, standing.ref)
                           = (of_party, in_currency, asked, for_ref)
                        then 'replayed' else 'key-reused' end;
        return;
    end if;
    update ledger_hold set state = 'expired', moved_at = at
     where party = of_party and currency = in_currency and state = 'active'
       and expires_at <= at;
    used := ledger_exposure(of_party, in_currency);
    if used + asked > up_to then
        outcome := 'credit-limit';
        return;
    end if;
    insert into ledger_hold (id, key, party, currency, amount, credit_limit, ref, placed_at,
                             expires_at)
    values (hold_id, hold_key, of_party, in_currency, asked, up_to, for_ref, at, until);
    made := hold_id;
    outcome := 'placed';
end $$;
