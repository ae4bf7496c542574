-- Callbacks and queries may be longer than an index takes; their digest is not.

alter table hub_subscription
    drop constraint hub_subscription_api_owner_role_callback_query_key;
create unique index hub_subscription_once
    on hub_subscription (api, owner, role, md5(callback || E'\n' || query));
