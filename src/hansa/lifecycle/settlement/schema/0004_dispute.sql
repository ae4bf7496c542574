-- Disputes about invoices, as both sides hold them; what either did about one; and credit notes,
-- which are stated as other months are, one to a dispute.

alter table settlement_statement drop constraint settlement_statement_kind_of_check;
alter table settlement_statement add constraint settlement_statement_kind_of_check
    check (kind_of in ('services', 'revenue-share', 'credit-note'));
alter table settlement_statement add column dispute text;
alter table settlement_statement add constraint settlement_statement_credit
    check ((kind_of = 'credit-note') = (dispute is not null));
create unique index settlement_statement_dispute on settlement_statement (creditor, dispute);
drop index settlement_statement_live;
create unique index settlement_statement_live on settlement_statement
    (creditor, debtor, kind_of, agreement, agreement_version, currency, period_start)
    where state <> 'withdrawn' and kind_of <> 'credit-note';

-- What a dispute had held out may be netted alone, when it has ended.
alter table settlement_netting drop constraint settlement_netting_statements_check;

create table settlement_dispute (
    id text primary key,
    statement text not null references settlement_statement (id),
    partner text not null,
    direction text not null check (direction in ('raised', 'heard')),
    document jsonb not null,
    signature jsonb not null,
    state text not null check (state in ('raised', 'acknowledged', 'offered', 'rejected',
                                         'insisted', 'accepted', 'withdrawn')),
    credits jsonb not null default '[]',
    learned_at timestamptz not null
);
create index settlement_dispute_statement on settlement_dispute (statement);

create table settlement_dispute_move (
    dispute text not null references settlement_dispute (id),
    partner text not null,
    party text not null,
    place integer not null check (place > 0),
    document jsonb not null,
    by_whom text not null,
    learned_at timestamptz not null,
    primary key (dispute, party, place)
);

-- What the contract with a partner says of disputes; what it said before is kept.
create table settlement_dispute_terms (
    id bigint generated always as identity primary key,
    partner text not null,
    document jsonb not null,
    by_whom text not null check (by_whom <> ''),
    at timestamptz not null
);
create index settlement_dispute_terms_newest on settlement_dispute_terms (partner, id desc);
create trigger settlement_dispute_terms_kept before update or delete or truncate
    on settlement_dispute_terms for each statement execute function settlement_append_only();

-- What was raised never changes; what is accepted stays so.
create function settlement_dispute_guard() returns trigger language plpgsql as $$
begin
    if tg_op in ('DELETE', 'TRUNCATE') then
        raise exception 'a dispute is never deleted' using errcode = '42501';
    end if;
    if to_jsonb(new) - 'state' - 'credits' is distinct from to_jsonb(old) - 'state' - 'credits'
       or old.state = 'accepted' then
        raise exception 'dispute % cannot be changed so', old.id using errcode = '42501';
    end if;
    return new;
end $$;
create trigger settlement_dispute_guard before update or delete on settlement_dispute
    for each row execute function settlement_dispute_guard();
create trigger settlement_dispute_kept before truncate on settlement_dispute
    for each statement execute function settlement_dispute_guard();
create trigger settlement_dispute_move_kept before update or delete or truncate
    on settlement_dispute_move for each statement execute function settlement_append_only();

call hansa_isolate('settlement_dispute', 'settlement_dispute_move',
                   'settlement_dispute_terms');
grant select on settlement_dispute_terms to hansa_guest;
create policy of_the_party on settlement_dispute_terms to hansa_guest
    using (partner = hansa_party());
grant select, insert, update (state, credits) on settlement_dispute to hansa_guest;
grant select, insert on settlement_dispute_move to hansa_guest;
create policy of_the_party on settlement_dispute to hansa_guest using (partner = hansa_party());
create policy of_the_party on settlement_dispute_move to hansa_guest
    using (partner = hansa_party());
create policy given_by_the_party on settlement_dispute as restrictive for insert to hansa_guest
    with check (right(id, length(hansa_party()) + 1) = '.' || hansa_party());
create policy told_by_the_party on settlement_dispute_move as restrictive for insert
    to hansa_guest with check (party = hansa_party());
