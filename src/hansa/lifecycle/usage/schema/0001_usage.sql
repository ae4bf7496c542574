-- Months that have ended: opened when their usage began to be collected, closed when all was in.
-- joined: a holding has joined the month since then, so that some has still to be collected.
create table usage_period (
    period    text primary key check (period ~ '^[0-9]{4}-(0[1-9]|1[0-2])$'),
    opened_at timestamptz not null,
    joined    boolean not null default false,
    closed_at timestamptz check (closed_at >= opened_at),
    check (not joined or closed_at is null)
);

-- The manifest of usage files. A file is never forgotten; at most one of a month counts.
create table usage_file (
    seller     text not null,
    holding    text not null,
    period     text not null references usage_period,
    sha256     text not null check (sha256 ~ '^[0-9a-f]{64}$'),
    records    integer not null check (records >= 0),
    path       text not null,
    learned_at timestamptz not null,
    applied    boolean not null,
    primary key (seller, holding, period, sha256),
    foreign key (seller, holding) references inventory_holding (seller, id)
);

create unique index usage_file_one_counts on usage_file (seller, holding, period) where applied;
