-- What samples, sessions and seats of a month come to, holding by holding: the newest that was
-- added up. made_of: a digest of the tariffs and points by which it was.
create table rating_measured (
    seller  text not null,
    holding text not null,
    month   text not null check (month ~ '^[0-9]{4}-(0[1-9]|1[0-2])$'),
    made_of text not null,
    lines   jsonb not null,
    made_at timestamptz not null,
    primary key (seller, holding, month),
    foreign key (seller, holding) references inventory_holding (seller, id)
);

-- The files that are in it; of sessions also those of the month before, in which some began.
create table rating_measured_file (
    month      text not null check (month ~ '^[0-9]{4}-(0[1-9]|1[0-2])$'),
    delivery   integer not null,
    file_month text not null,
    added_at   timestamptz not null,
    primary key (month, delivery, file_month),
    foreign key (delivery, file_month) references usage_event_file (delivery, month)
);

call hansa_isolate('rating_measured', 'rating_measured_file');
