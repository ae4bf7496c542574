-- Things of a standard that no room knows more of: kept whole, each for the party that made it.

create table record (
    id text primary key,
    resource text not null check (resource ~ '^[A-Za-z0-9]+/[A-Za-z/]+$'),
    owner text not null check (owner ~ '^[a-z][a-z0-9-]{0,38}[a-z0-9]$'),
    document jsonb not null check (jsonb_typeof(document) = 'object'),
    created_at timestamptz not null,
    changed_at timestamptz not null check (changed_at >= created_at),
    version integer not null check (version > 0)
);
create index record_found on record (resource, owner, created_at desc, id desc);

-- A record is its owner's alone.
call hansa_isolate('record');
grant select, insert, update, delete on record to hansa_guest;
create policy own on record to hansa_guest
    using (owner = hansa_party()) with check (owner = hansa_party());
