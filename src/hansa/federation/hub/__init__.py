"""What others want to be told of, and the telling of it, whatever the dialect.

Takes in subscriptions, and what rooms say has happened; hands on notices to callbacks.
"""
