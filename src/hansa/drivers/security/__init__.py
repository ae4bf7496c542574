"""Cloud security on real daemons: a firewall, a filter of names and a gateway for each customer.

Takes in what a customer may not reach; hands on what was refused, counted and in use.
"""
