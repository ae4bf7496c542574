-- What a month's files of lines (`parts`) come to, with where each price is from (`prices`).
select parts.leg_id, parts.price_id, parts.band, prices.code, prices.destination,
       cast(sum(calls) as bigint) as calls,
       cast(sum(charged_calls) as bigint) as charged_calls,
       cast(sum(billed_s) as bigint) as billed_s,
       cast(sum(charge) as bigint) as charge,
       cast(sum(amount) as bigint) as amount,
       cast(sum(share) as bigint) as share
from parts join prices on prices.price_id = parts.price_id
group by parts.leg_id, parts.price_id, parts.band, prices.code, prices.destination
order by parts.leg_id, parts.price_id, parts.band
