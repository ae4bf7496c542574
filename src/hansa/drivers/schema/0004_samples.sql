-- How services of our own network were, as measured: a row for each figure of each round.

create table driver_sample (
    holding text not null references driver_service,
    class   text not null,
    name    text not null check (name in ('rtt_us', 'jitter_us', 'loss_ppm', 'available')),
    at      timestamptz not null,
    value   bigint not null check (value >= 0),
    primary key (holding, at, name, class)
);
create index driver_sample_at on driver_sample (at);

call hansa_isolate('driver_sample');
