-- Hosts that a party may name in its callbacks, beside the one on its card.
create table callback_host (
    party text not null,
    host text not null check (host <> ''),
    added_at timestamptz not null,
    added_by text not null,
    primary key (party, host)
);
call hansa_isolate('callback_host');
