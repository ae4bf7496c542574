-- Nonces of requests that partners have signed, each good once. A row is needed only for as long
-- as its request would be in time; the worker removes it after that.
create table federation_nonce (
    party text not null,
    nonce text not null,
    until timestamptz not null,
    primary key (party, nonce)
);
create index federation_nonce_until on federation_nonce (until);

-- Every signed request that changes something, and its answer, in both directions, as they were
-- on the wire. Only added to.
create table federation_evidence (
    number bigint generated always as identity primary key,
    direction text not null check (direction in ('in', 'out')),
    kind text not null check (kind in ('request', 'answer')),
    party text not null,
    nonce text not null,
    method text not null,
    target text not null,
    status smallint not null,
    headers jsonb not null,
    body bytea not null,
    kid text not null,
    trace text not null,
    at timestamptz not null
);
-- Bodies are compressed from a few hundred octets on, and stay in the row where they fit.
alter table federation_evidence set (toast_tuple_target = 512);
alter table federation_evidence alter column body set storage main;
create index federation_evidence_trace on federation_evidence (trace) where trace <> '';

create function federation_keep_evidence() returns trigger language plpgsql as $$
begin
    raise exception 'evidence is only added to' using errcode = 'restrict_violation';
end $$;

create trigger federation_evidence_keep before update or delete on federation_evidence
    for each row execute function federation_keep_evidence();
create trigger federation_evidence_whole before truncate on federation_evidence
    for each statement execute function federation_keep_evidence();

call hansa_isolate('federation_nonce', 'federation_evidence');
revoke update, delete, truncate on federation_evidence from hansa_node;
