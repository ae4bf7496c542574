-- What five-minute samples of octets come to in each stretch (`span`) and direction (`way`: 0 in,
-- 1 out). `meter` says which points are a stretch's: since/until of the point, from/to of the
-- stretch, in seconds. A day with any sample of a point is a day on which it was polled.
with e as (      -- samples of the days that a stretch touches
    select m.span, m.point, m.since_s, m.until_s, m.from_s, m.to_s,
           idiv(s.slot_s, 86400) as day, s.slot_s, s.octets_in, s.octets_out
    from samples s join meter m
      on m.point = s.point and s.slot_s >= m.since_s and s.slot_s < m.until_s
     and idiv(s.slot_s, 86400) * 86400 < m.to_s and idiv(s.slot_s, 86400) * 86400 + 86400 > m.from_s
), p as (        -- points by the days on which they were polled
    select distinct span, day, point, since_s, until_s, from_s, to_s from e
), t as (        -- several points of one stretch are added up
    select span, day, slot_s, count(octets_in) as known_in, count(octets_out) as known_out,
           sum(octets_in) as octets_in, sum(octets_out) as octets_out
    from e where slot_s >= from_s and slot_s < to_s
    group by span, day, slot_s
), k as (        -- as many as should be known in the slot
    select t.span, t.slot_s, t.known_in, t.known_out, t.octets_in, t.octets_out,
           count(*) as points
    from t join p on p.span = t.span and p.day = t.day
                 and t.slot_s >= p.since_s and t.slot_s < p.until_s
    group by t.span, t.slot_s, t.known_in, t.known_out, t.octets_in, t.octets_out
), w as (        -- one that is missing makes the sum missing, and is left out
    select span, 0 as way, slot_s, octets_in as octets from k where known_in = points
    union all
    select span, 1 as way, slot_s, octets_out as octets from k where known_out = points
), r as (        -- the highest first, the earlier of equal ones
    select w.*, row_number() over (partition by span, way order by octets desc, slot_s) as place,
           count(*) over (partition by span, way) as samples,
           sum(octets) over (partition by span, way) as total
    from w
), i as (        -- how many slots begin in the stretch on each day that was polled
    select distinct span, day, idiv(least(to_s, day * 86400 + 86400) + 299, 300)
                             - idiv(greatest(from_s, day * 86400) + 299, 300) as slots
    from p
), d as (
    select span, cast(sum(slots) as bigint) as slots from i group by span
)                -- a twentieth is free; the next is what counts
select d.span, d.slots, r.way, r.samples, idiv(r.samples * 5, 100) as free,
       cast(r.total as bigint) as total, cast(r.octets as bigint) as octets, r.slot_s
from d left join r on r.span = d.span and r.place = idiv(r.samples * 5, 100) + 1
order by d.span, r.way
