-- Octets that sessions have carried in each stretch (`span`), of days that end in it.
select m.span, cast(sum(v.octets_in) as bigint) as octets_in,
       cast(sum(v.octets_out) as bigint) as octets_out
from volumes v join meter m
  on m.point = v.point and v.day >= m.since_day and v.day < m.until_day
 and v.day >= m.from_day and v.day < m.to_day
group by m.span
order by m.span
