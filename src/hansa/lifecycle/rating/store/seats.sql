-- The day with the most seats, the first of equal ones, and the last day, in each stretch (`span`).
-- `meter` says which points are a stretch's; days are counted from 1970.
with t as (      -- several points of one stretch are added up
    select m.span, date_diff('day', cast('1970-01-01' as date), s.day) as day,
           cast(sum(s.seats) as bigint) as seats
    from seats s join meter m
      on m.point = s.point
     and date_diff('day', cast('1970-01-01' as date), s.day) >= m.since_day
     and date_diff('day', cast('1970-01-01' as date), s.day) < m.until_day
     and date_diff('day', cast('1970-01-01' as date), s.day) >= m.from_day
     and date_diff('day', cast('1970-01-01' as date), s.day) < m.to_day
    group by m.span, s.day
), r as (
    select t.*, row_number() over (partition by span order by seats desc, day) as highest,
           row_number() over (partition by span order by day desc) as latest,
           count(*) over (partition by span) as days
    from t
)
select p.span, p.days, p.day as peak_day, p.seats as peak, l.day as last_day, l.seats as last_seats
from r p join r l on l.span = p.span and l.latest = 1
where p.highest = 1
order by p.span
