-- What our own people prepare before they ask for prices; no partner or customer sees it. version:
-- another one after each change. asked: the version in which what is asked for last changed; under
-- it prices are asked for.
create table quote_draft (
    id text primary key,
    buyer text not null,
    version integer not null check (version > 0),
    asked integer not null check (asked between 1 and version),
    sites integer not null check (sites >= 0),
    made_by text not null,
    made_at timestamptz not null,
    changed_by text not null,
    changed_at timestamptz not null check (changed_at >= made_at),
    document jsonb not null
);
create index quote_draft_newest on quote_draft (changed_at desc, id desc);

create table quote_draft_site (
    draft text not null references quote_draft (id),
    position integer not null check (position >= 0),
    document jsonb not null,
    primary key (draft, position)
);

call hansa_isolate('quote_draft', 'quote_draft_site');
