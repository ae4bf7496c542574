-- The wish to be shown a bill at once, and which one it was; never changed. extra: what the
-- client sent beside it, as JSON text.
create table billing_request (
    id text primary key,
    buyer text not null,
    asked_at timestamptz not null,
    bill text not null,
    extra text not null default ''
);
create index billing_request_newest on billing_request (buyer, asked_at desc);

create function billing_request_guard() returns trigger language plpgsql as $$
begin
    raise exception 'a request for a bill is never changed' using errcode = '42501';
end $$;
create trigger billing_request_guard before update or delete on billing_request
    for each row execute function billing_request_guard();
