-- What papers say of a party; the newest row counts, none is ever changed.
create table clearing_particulars (
    id bigint generated always as identity primary key,
    party text not null,
    document jsonb not null,
    by_whom text not null check (by_whom <> ''),
    at timestamptz not null
);
create index clearing_particulars_party on clearing_particulars (party, id);

create function clearing_append_only() returns trigger language plpgsql as $$
begin
    raise exception '% only grows', tg_table_name using errcode = '42501';
end $$;
create trigger clearing_particulars_kept before update or delete or truncate
    on clearing_particulars for each statement execute function clearing_append_only();

call hansa_isolate('clearing_particulars');
