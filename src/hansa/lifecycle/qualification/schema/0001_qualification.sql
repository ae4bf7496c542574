-- What was asked and answered, to be found again until it expires. extra: what the client sent
-- beside what we understand, as JSON text, to be given back as it came.
create table qualification_kept (
    id text primary key,
    buyer text not null,
    made_at timestamptz not null,
    expires_at timestamptz not null check (expires_at > made_at),
    need jsonb not null,
    answer jsonb not null,
    extra text not null default ''
);
create index qualification_kept_newest on qualification_kept (buyer, made_at desc);

call hansa_isolate('qualification_kept');
grant select, insert, delete on qualification_kept to hansa_guest;
create policy of_the_party on qualification_kept to hansa_guest using (buyer = hansa_party());
