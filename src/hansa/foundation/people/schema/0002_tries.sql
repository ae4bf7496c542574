-- Wrong passwords that are not forgotten yet: of one login from one place, of a place whatever the
-- login, of a login wherever from; '' is any. A place is an IPv4 address, a /56 of IPv6, or what
-- stands for a browser. waits_until: null until so many were wrong that the next has to wait.
drop table people_attempt;
create table people_try (
    login text not null,
    place text not null,
    forgotten_at timestamptz not null,
    waits_until timestamptz check (waits_until <= forgotten_at),
    primary key (login, place)
);
create index people_try_forgotten on people_try (forgotten_at);

-- Browsers in which somebody signed in with a password. token_hash: SHA-256 of what the browser
-- has; it proves nothing but that, and lets nobody in.
create table people_browser (
    token_hash bytea primary key check (length(token_hash) = 32),
    person text not null references people_person (id),
    seen_at timestamptz not null
);
create index people_browser_person on people_browser (person, seen_at);
create index people_browser_seen on people_browser (seen_at);

call hansa_isolate('people_try', 'people_browser');
