"""Systems that ask us without a node's key: registered, given a secret, and let in by scope.

Takes in a client's id and secret; hands on an access token, and whoever one stands for.
"""
