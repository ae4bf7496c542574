"""What every TM Forum resource shares: one engine that turns declarations into operations.

A resource is declared with `model.Resource`; all rules of TMF630 are kept here, once.
"""
