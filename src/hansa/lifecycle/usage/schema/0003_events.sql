create extension if not exists btree_gist;

-- Which holding a trunk, port or user of the network is: what comes in by it is used of a holding
-- that we sold, what goes out by it of one that we bought.
create table usage_trunk (
    name    text not null check (name <> ''),
    side    text not null check (side in ('in', 'out')),
    valid   tstzrange not null check (
        not isempty(valid) and lower_inc(valid) and not upper_inc(valid)
        and lower(valid) > '-infinity'
        and (upper_inf(valid) or upper(valid) < 'infinity')),
    seller  text not null,
    holding text not null,
    primary key (name, side, valid without overlaps),
    foreign key (seller, holding) references inventory_holding (seller, id)
);

-- Every pair of trunks that calls have come in and gone out by; empty where it was not told.
create table usage_route (
    route_id  integer generated always as identity primary key,
    trunk_in  text not null,
    trunk_out text not null,
    unique (trunk_in, trunk_out)
);

-- The manifest of events: every file that was delivered, once by its content. A file that could
-- not be read at all is refused with its reason, and may be delivered again.
create sequence usage_delivery_number as integer;
grant usage on sequence usage_delivery_number to hansa_node;
create table usage_delivery (
    number     integer primary key check (number > 0),
    sha256     text not null unique check (sha256 ~ '^[0-9a-f]{64}$'),
    name       text not null,
    source     text not null,
    kind       text not null check (kind in ('calls', 'samples', 'seats', 'sessions')),
    layout     jsonb not null,
    state      text not null check (state in ('taken', 'refused')),
    reason     text,
    words      text,
    rows       bigint not null check (rows >= 0),
    quarantine text,
    replays    integer references usage_delivery,
    learned_at timestamptz not null,
    check ((state = 'refused') = (reason is not null)),
    check ((state = 'refused') = (words is not null))
);

-- What of a delivered file belongs to which month of usage; month '' for what has no time that
-- could be read. accounting: the month in whose books it is, later when its own was closed.
-- rated, no_price: what rating has said of the events.
create table usage_event_file (
    delivery    integer not null references usage_delivery,
    month       text not null check (month ~ '^([0-9]{4}-(0[1-9]|1[0-2]))?$'),
    accounting  text not null check (accounting ~ '^([0-9]{4}-(0[1-9]|1[0-2]))?$'),
    kind        text not null,
    path        text unique,
    events      bigint not null check (events >= 0),
    quarantined bigint not null check (quarantined >= 0),
    duplicate   bigint not null check (duplicate >= 0),
    first_us    bigint,
    last_us     bigint,
    codes       text not null,
    rated       bigint not null default 0 check (rated >= 0),
    no_price    bigint not null default 0 check (no_price >= 0),
    primary key (delivery, month),
    check ((path is null) = (events = 0)),
    check ((path is null) = (first_us is null)),
    check (first_us <= last_us),
    check (rated + no_price <= events),
    check (month <> '' or events = 0)
);
create index usage_event_file_month on usage_event_file (month, kind, last_us);

-- What a person has corrected of records that were set aside; never changed.
create table usage_repair (
    id       integer generated always as identity primary key,
    delivery integer not null references usage_delivery,
    row      bigint,
    reason   text,
    field    text not null,
    pattern  text,
    value    text not null,
    by       text not null,
    why      text not null,
    made_at  timestamptz not null
);
create index usage_repair_delivery on usage_repair (delivery);

call hansa_isolate('usage_trunk', 'usage_route', 'usage_delivery', 'usage_event_file',
                   'usage_repair');
