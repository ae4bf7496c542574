"""Where notices may be sent: to hosts that their receiver has registered, and to nobody inside.

Takes in a callback and whose it is; hands on the one address to which its notice may go.
"""
