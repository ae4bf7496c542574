-- What each event of `events` costs on each leg of its route: whole numbers and equi-joins alone,
-- so that every engine gives the same to the last billionth. idiv is division without a rest.
with e as (     -- the moment of answer decides on prices, calendars and rates
    select event_id, route_id, code_id, origin_id, cast(duration_s as bigint) as duration_s,
           idiv(answered_us, 1000000) as start_s
    from events
), h as (       -- one row for each leg of the route in force; a route without legs keeps one row
    select e.*, l.hop, l.leg_id, l.deck, l.fx_id, l.share_bp
    from e left join leg l
      on l.leg_route = e.route_id and e.start_s >= l.leg_from and e.start_s < l.leg_to
), o as (       -- the group of callers that the deck has a price of its own for
    select h.*, coalesce(g.grp, 0) as caller
    from h left join origin g on g.origin_k = h.deck * 16777216 + h.origin_id + 2
), p as (       -- the price in force, peak or off-peak, the seconds charged
    select o.*, t.price_id, t.setup, t.minimum, c.band,
           case c.band when 0 then t.rate_peak else t.rate_off end as rate_n,
           case when o.duration_s = 0 then 0 else t.first_s
               + idiv(greatest(o.duration_s - t.first_s, 0) + t.next_s - 1, t.next_s) * t.next_s
           end as billed_s
    from o
    left join rate t on t.k = (o.deck * 256 + o.caller) * 16777216 + o.code_id
                    and o.start_s >= t.from_s and o.start_s < t.to_s
    left join cal c on c.cal_k = o.deck * 4294967296 + idiv(o.start_s, 900)
), q as (       -- whole minutes and the seconds left over, these rounded half up; then the least
    select p.*, case when billed_s = 0 then 0 else greatest(minimum, setup
               + rate_n * idiv(billed_s, 60) + idiv(rate_n * (billed_s % 60) * 2 + 60, 120))
           end as charge
    from p
), m as (       -- in the currency of settlement, at the rate of the day, rounded half up
    select q.*, q.price_id is not null and q.band is not null and f.fx_d is not null as priced,
           idiv(charge, f.fx_d) * f.fx_n
               + idiv((charge % f.fx_d) * f.fx_n * 2 + f.fx_d, f.fx_d * 2) as amount
    from q left join fx f on f.fx_k = q.fx_id * 4294967296 + idiv(q.start_s, 86400)
)               -- a leg without a price, calendar or rate has price_id -1 and comes to nothing
select event_id,
       cast(coalesce(hop, 0) as tinyint) as hop,
       cast(coalesce(leg_id, -1) as integer) as leg_id,
       cast(case when priced then price_id else -1 end as integer) as price_id,
       cast(case when priced then band else -1 end as tinyint) as band,
       cast(case when priced then billed_s else 0 end as integer) as billed_s,
       case when priced then charge else 0 end as charge,
       case when priced then amount else 0 end as amount,
       case when priced then idiv(amount, 10000) * share_bp
           + idiv((amount % 10000) * share_bp * 2 + 10000, 20000) else 0 end as share
from m
