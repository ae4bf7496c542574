-- What the RADIUS server of an access network knows: its lines, and every record of their use.
-- It is a database of the network's own, beside no node; times are told by the records.

create table line (
    username text primary key,
    password text not null,          -- SSHA2-256, in hexadecimal
    down_bps bigint not null,
    up_bps bigint not null,
    quota_octets bigint,
    throttled_bps bigint not null,
    interim_s integer not null
);

-- Counts are of the session since it began. A record that comes again is the same record; of two
-- of one second the larger counts.
create table accounting (
    username text not null,
    at timestamptz not null,
    session text not null,
    status text not null,
    octets_up bigint not null,
    octets_down bigint not null,
    primary key (username, at, session, status)
);

-- What a line has carried, both ways, in the calendar month of an instant.
create function used(who text, moment timestamptz) returns bigint language sql stable as $$
    with month as (select date_trunc('month', moment) as begins),
    counted as (
        select session, at < begins as before, max(octets_up + octets_down) as octets
        from accounting, month
        where username = who and at < begins + interval '1 month'
        group by 1, 2
    )
    select coalesce(sum(after.octets - coalesce(earlier.octets, 0)), 0)::bigint
    from counted as after
    left join counted as earlier on earlier.session = after.session and earlier.before
    where not after.before
$$;

-- The speeds that a line should have: none when it is not ours.
create function entitled(who text, moment timestamptz)
returns table (down_bps bigint, up_bps bigint) language sql stable as $$
    select
        case when spent then least(line.throttled_bps, line.down_bps) else line.down_bps end,
        case when spent then least(line.throttled_bps, line.up_bps) else line.up_bps end
    from line
    cross join lateral (select coalesce(used(who, moment) >= quota_octets, false) as spent) as quota
    where username = who
$$;

-- The same as attributes, in the columns that FreeRADIUS wants.
create function replied(who text, moment timestamptz)
returns table (id integer, username text, attribute text, value text, op text)
language sql stable as $$
    select 1, who, told.attribute, told.value::text, ':='
    from line
    cross join lateral entitled(who, moment) as speed
    cross join lateral (values
        ('WISPr-Bandwidth-Max-Down', speed.down_bps),
        ('WISPr-Bandwidth-Max-Up', speed.up_bps),
        ('Acct-Interim-Interval', line.interim_s::bigint)
    ) as told (attribute, value)
    where line.username = who
$$;
