-- What this node's own network has on offer and where, and what has been ordered of it.

create table driver_product (
    code    text primary key,
    name    text not null,
    family  text not null check (family in ('connectivity', 'security', 'voice', 'broadband')),
    per     text not null check (per in ('site', 'order')),
    choices jsonb not null
);

create table driver_coverage (
    what    text not null,
    country text not null check (country ~ '^[A-Z]{2}$'),
    place   text not null check (place <> ''),
    primary key (what, country, place)
);

create table driver_quote (
    id          text primary key,
    buyer       text not null,
    made_at     timestamptz not null,
    valid_until timestamptz not null check (valid_until > made_at),
    document    jsonb not null
);

-- An order in progress with a reason is on its way back.
create table driver_order (
    id          text primary key,
    buyer       text not null,
    key         text not null,
    content     text not null check (content ~ '^[0-9a-f]{64}$'),
    quote       text not null references driver_quote,
    ceases      text references driver_order,
    state       text not null check (state in ('inProgress', 'completed', 'failed', 'cancelled')),
    reason      text not null default '',
    trace       text not null,
    placed_at   timestamptz not null,
    finished_at timestamptz,
    unique (buyer, key),
    check ((state = 'inProgress') = (finished_at is null))
);

create unique index driver_order_uses_a_quote_once on driver_order (quote) where ceases is null;

-- intent: as the service should be, null where it should not be. brought_by: whose terms these are.
create table driver_service (
    holding    text primary key,
    buyer      text not null,
    family     text not null,
    intent     jsonb,
    brought_by text not null references driver_order,
    started    timestamptz,
    ended      timestamptz check (ended >= started)
);

-- wanted, before: the intent that the order brings and the one it finds; null: not there.
create table driver_line (
    order_id     text not null references driver_order,
    position     integer not null,
    item         text not null,
    holding      text not null references driver_service,
    wanted       jsonb,
    before       jsonb,
    before_order text references driver_order,
    since        timestamptz,
    open         boolean not null,
    primary key (order_id, item),
    unique (order_id, position)
);

create unique index driver_line_one_order_at_a_time on driver_line (holding) where open;
