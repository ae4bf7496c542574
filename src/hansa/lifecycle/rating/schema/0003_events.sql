-- Rating of events in bulk: what they are rated by and which files are rated. The rated events
-- themselves, and what they add up to, are files of the node's folder.

-- Numbers of the holdings for which events are rated: one for each stretch of one tariff.
create table rating_leg (
    leg     integer generated always as identity primary key,
    seller  text not null,
    holding text not null,
    since   timestamptz not null,
    unique (seller, holding, since),
    foreign key (seller, holding) references inventory_holding (seller, id)
);

-- Every book that was compiled, by its content. A month is rated by the newest that was chosen.
create table rating_book (
    book    text primary key check (book ~ '^[0-9a-f]{32}$'),
    codes   text not null,
    made_at timestamptz not null
);

create table rating_month (
    month     text not null check (month ~ '^[0-9]{4}-(0[1-9]|1[0-2])$'),
    book      text not null references rating_book,
    chosen_at timestamptz not null,
    why       text not null,
    primary key (month, chosen_at)
);

create table rating_file (
    delivery integer not null,
    month    text not null,
    book     text not null references rating_book,
    engine   text not null,
    rows     bigint not null check (rows >= 0),
    rated    bigint not null check (rated >= 0),
    no_price bigint not null check (no_price >= 0),
    rated_at timestamptz not null,
    primary key (delivery, month, book),
    foreign key (delivery, month) references usage_event_file (delivery, month)
);

-- The months whose events are rated for their bills.
create table rating_events (
    month    text primary key check (month ~ '^[0-9]{4}-(0[1-9]|1[0-2])$'),
    rated_at timestamptz not null
);

-- What a month that was rated before comes to differently now: charged in a later one.
create table rating_adjustment (
    seller      text not null,
    holding     text not null,
    usage_month text not null,
    number      integer not null check (number > 0),
    label       text not null,
    document    jsonb not null,
    made_at     timestamptz not null,
    charged_in  text,
    primary key (seller, holding, usage_month, number, label),
    foreign key (seller, holding, usage_month) references rating_holding (seller, holding, period)
);
create index rating_adjustment_waiting on rating_adjustment (seller, holding)
    where charged_in is null;

call hansa_isolate('rating_leg', 'rating_book', 'rating_month', 'rating_file',
                   'rating_events', 'rating_adjustment');
