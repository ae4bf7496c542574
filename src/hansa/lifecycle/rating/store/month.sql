-- What a month's files of lines (`parts`) come to, with where each price is from (`prices`).
with m as (
    select leg_id, price_id, band,
           cast(sum(calls) as bigint) as calls,
           cast(sum(charged_calls) as bigint) as charged_calls,
           cast(sum(billed_s) as bigint) as billed_s,
           cast(sum(charge) as bigint) as charge,
           cast(sum(amount) as bigint) as amount,
           cast(sum(share) as bigint) as share
    from parts
    where price_id >= 0
    group by leg_id, price_id, band
)
select m.leg_id, m.price_id, m.band, prices.code, prices.destination,
       m.calls, m.charged_calls, m.billed_s, m.charge, m.amount, m.share
from m join prices on prices.price_id = m.price_id
order by m.leg_id, m.price_id, m.band
